/** Writes Matroska files (RFC 9559) that no encoder would. */

interface TrackOptions {
  codec: string;
  type: 'audio' | 'video';
  width?: number;
  height?: number;
}

/** One track; given a number and an id of its own by {@link matroska}. */
export function track({ codec, type, width = 0, height = 0 }: TrackOptions): (number: number) => Buffer {
  const media =
    type === 'video'
      ? element('e0', element('b0', unsigned(width)), element('ba', unsigned(height)))
      : element('e1', element('b5', float(16_000)), element('9f', unsigned(1)), element('6264', unsigned(16)));
  return (number) =>
    element(
      'ae',
      element('d7', unsigned(number)),
      element('73c5', unsigned(number)),
      element('83', unsigned(type === 'video' ? 1 : 2)),
      element('86', Buffer.from(codec)),
      media,
    );
}

export function matroska(tracks: readonly ((number: number) => Buffer)[]): Buffer {
  const head = element('1a45dfa3', element('4282', Buffer.from('matroska')), element('4287', unsigned(4)));
  const info = element('1549a966', element('2ad7b1', unsigned(1_000_000)), element('4489', float(1_000)));
  const block = element('a3', Buffer.from([0x81, 0, 0, 0x80, ...Array.from({ length: 320 }, () => 0)]));
  const cluster = element('1f43b675', element('e7', unsigned(0)), block);
  const entries = element('1654ae6b', ...tracks.map((make, index) => make(index + 1)));
  return Buffer.concat([head, element('18538067', info, entries, cluster)]);
}

function element(id: string, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const size = Buffer.alloc(8);
  size.writeUInt32BE(0x0100_0000, 0); // a length of 8 bytes
  size.writeUInt32BE(body.length, 4);
  return Buffer.concat([Buffer.from(id, 'hex'), size, body]);
}

function unsigned(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function float(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}
