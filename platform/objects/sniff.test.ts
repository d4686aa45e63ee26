import { sniffMimeType } from './sniff';

/** The first bytes of one file of each kind, written by hand from the formats' specifications. */
const HEADS: [kind: string, head: Buffer, mimeType: string][] = [
  ['WAV', bytes('RIFF', [36, 0, 0, 0], 'WAVEfmt ', [16, 0, 0, 0, 1, 0, 1, 0]), 'audio/wav'],
  [
    'MP3 with an ID3 tag',
    bytes('ID3', [3, 0, 0, 0, 0, 0, 10], Buffer.alloc(10), [0xff, 0xfb, 0x90, 0x64]),
    'audio/mpeg',
  ],
  ['MP3 without a tag', bytes([0xff, 0xfb, 0x90, 0x64], Buffer.alloc(64)), 'audio/mpeg'],
  ['MP4', bytes([0, 0, 0, 24], 'ftypisom', [0, 0, 2, 0], 'isomiso2', Buffer.alloc(16)), 'video/mp4'],
  ['M4A', bytes([0, 0, 0, 24], 'ftypM4A ', [0, 0, 2, 0], 'isomiso2', Buffer.alloc(16)), 'audio/x-m4a'],
  ['WebM', bytes([0x1a, 0x45, 0xdf, 0xa3, 0x87, 0x42, 0x82, 0x84], 'webm', Buffer.alloc(16)), 'video/webm'],
  ['Ogg Opus', bytes('OggS', [0, 2], Buffer.alloc(20), [1, 19], 'OpusHead', Buffer.alloc(16)), 'audio/ogg'],
  ['FLAC', bytes('fLaC', [0, 0, 0, 34], Buffer.alloc(34)), 'audio/flac'],
  ['PNG', bytes([0x89], 'PNG\r\n', [0x1a, 0x0a, 0, 0, 0, 13], 'IHDR', Buffer.alloc(32)), 'image/png'],
  ['text', bytes('Habari ya asubuhi, dünya.\n'), 'text/plain'],
  ['text that is cut inside a character', bytes('naïve caf', [0xc3]), 'text/plain'],
  ['HTML', bytes('\n <!DOCTYPE html><script>alert(1)</script>'), 'text/html'],
  ['HTML behind a byte order mark', bytes([0xef, 0xbb, 0xbf], '<html><body>'), 'text/html'],
  ['HTML behind a comment', bytes('<!-- hello --><script>alert(1)</script>'), 'text/html'],
  ['SVG', bytes('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'), 'image/svg+xml'],
  ['SVG behind a prologue', bytes('<?xml version="1.0"?><!-- x --><svg/>'), 'image/svg+xml'],
  ['XML', bytes('<?xml version="1.0"?><note/>'), 'application/xml'],
  [
    'an HLS playlist, whatever its name',
    bytes('#EXTM3U\n#EXT-X-TARGETDURATION:1\nfile:///etc/passwd\n'),
    'application/vnd.apple.mpegurl',
  ],
  ['random bytes', bytes([0x8b, 0x00, 0x13, 0xf7, 0x02, 0x99, 0xee, 0x41, 0x00, 0x07]), 'application/octet-stream'],
  ['nothing', Buffer.alloc(0), 'application/octet-stream'],
];

test.each(HEADS)('tells %s by its first bytes', async (_kind, head, mimeType) => {
  expect(await sniffMimeType(head)).toBe(mimeType);
});

function bytes(...parts: (string | number[] | Buffer)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : Buffer.from(part))));
}
