import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import type { Viewer } from '../../../platform/identity/viewer';
import { anUpload, askFor, aViewer } from '../../../platform/testing/calls';
import { describeWhenInstalled, programMissing } from '../../../platform/testing/installed';
import { matroska, track } from '../facts/matroska.testing';
import { MediaFacts } from '../facts/facts';
import { FactRecords } from '../facts/records';
import { MEDIA_MODELS } from '../records';
import { aScript, aWav, createMedia, openMediaSlice, scripted, type MediaSlice } from '../testing';
import { inspectSource } from '../transcoding/inspect-source';
import { decodePcm } from './decode-pcm';
import { inspectMedia } from './inspect-media';
import { readProbe } from './read-probe';

const signal = new AbortController().signal;
let folder: string;
let slice: MediaSlice;
let viewer: Viewer;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-hostile-'));
  slice = await openMediaSlice(scripted(aScript()));
  viewer = aViewer();
});
afterAll(async () => {
  await slice[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function make(name: string, ...parameters: string[]): Buffer {
  const file = path.join(folder, name);
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...parameters, file]);
  return readFileSync(file);
}
const tone = (seconds: number) => ['-f', 'lavfi', '-i', `sine=f=440:r=16000:d=${seconds}`];

function write(name: string, bytes: Buffer): string {
  const file = path.join(folder, name);
  writeFileSync(file, bytes);
  return file;
}

/** A WAV with a text in its INFO chunk (artist), as any editor writes it. */
function wavWithInfo(text: string): Buffer {
  const wav = aWav(1);
  const content = Buffer.from(text.length % 2 ? `${text}\0` : text);
  const info = Buffer.alloc(20 + content.length);
  info.write('LIST', 0);
  info.writeUInt32LE(12 + content.length, 4);
  info.write('INFOIART', 8);
  info.writeUInt32LE(content.length, 16);
  content.copy(info, 20);
  wav.writeUInt32LE(wav.length - 8 + info.length, 4);
  return Buffer.concat([wav, info]);
}

/** A PNG that is small and says that it is huge. */
function pngBomb(side: number): Buffer {
  const header = Buffer.alloc(33);
  Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1').copy(header);
  header.writeUInt32BE(side, 16);
  header.writeUInt32BE(side, 20);
  header.writeUInt8(8, 24);
  return Buffer.concat([header, deflateSync(Buffer.alloc(1_000_000))]);
}

const html = '<!doctype html><html><script>alert(1)</script></html>';
const svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>';

describe('a file that is not what it says', () => {
  const gif = Buffer.from('GIF89a\x01\0\x01\0\0\0\0;', 'latin1');
  const zip = Buffer.from('PK\x05\x06'.padEnd(22, '\0'), 'latin1');
  test.each<[string, Buffer, string]>([
    ['HTML', Buffer.from(html), 'TYPE_NOT_ALLOWED'],
    ['SVG with a script', Buffer.from(svg), 'TYPE_NOT_ALLOWED'],
    ['a PDF before a WAV', Buffer.concat([Buffer.from('%PDF-1.4\n'), aWav(1)]), 'TYPE_NOT_ALLOWED'],
    [
      'a ZIP before a WAV',
      Buffer.concat([Buffer.from('PK\x03\x04'.padEnd(30, '\0'), 'latin1'), aWav(1)]),
      'TYPE_NOT_ALLOWED',
    ],
    ['a GIF that is a JAR', Buffer.concat([gif, zip]), 'TYPE_NOT_ALLOWED'],
    ['a PNG of 900 million pixels', pngBomb(30_000), 'TYPE_NOT_ALLOWED'],
    ['nothing', Buffer.alloc(0), 'INVALID_INPUT'],
    ['one byte', Buffer.from('R'), 'TYPE_NOT_ALLOWED'],
  ])('%s named x.wav is refused by its bytes', async (_what, bytes, code) => {
    const { media, errors } = await createMedia(slice, viewer, { upload: anUpload(bytes, 'x.wav') });
    expect([media, errors[0]?.code]).toEqual([null, code]);
    const refused = await readProbe(write('lie.wav', bytes), { signal }).catch((error: Error) => error.name);
    expect(refused).toBe('MediaProblem');
  });
});

const FACTS = 'durationMs artist album probe coverArt { id } waveform(points: 3) thumbnail';
async function factsOf(bytes: Buffer): Promise<Record<string, unknown>> {
  const { media } = await createMedia(slice, viewer, { upload: anUpload(bytes, 'x.bin') });
  const query = `query ($id: ID!) { media(id: $id) { ${FACTS} } }`;
  return (await askFor<{ media: Record<string, unknown> }>(slice.subgraph, viewer, query, { id: media!.id })).media;
}

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'a recording with a trick', () => {
  test('markup in the INFO of a WAV is a text like any other, and the sound is there', async () => {
    const facts = await factsOf(wavWithInfo(html));
    expect(facts).toMatchObject({ artist: html, durationMs: 1_000, coverArt: null, thumbnail: null });
    expect(facts['waveform']).toHaveLength(3);
  });

  test('a ZIP behind a WAV stays behind it', async () => {
    const { durationMs, probe } = await factsOf(
      Buffer.concat([aWav(1), Buffer.from('PK\x05\x06'.padEnd(22, '\0'), 'latin1')]),
    );
    expect(durationMs).toBe(1_000);
    expect(probe).toMatchObject({ container: 'wav', streams: [{ codec: 'pcm_u8' }] });
  });

  test.each([
    '-i /etc/passwd',
    '%d%s%n',
    '| rm -rf ~',
    'a:b:c',
    "';drop table media.media;--",
    'line one\nline two\r\n\r\n00:00:00.000 --> 99:00:00.000\nfake',
    '${jndi:ldap://127.0.0.1/x}',
  ])('the tag %j and a title of it are texts', async (text) => {
    const tagged = make('tagged.mp3', ...tone(1), '-metadata', `artist=${text}`, '-metadata', `title=${text}`);
    const { artist, probe } = await factsOf(tagged);
    const onOneLine = text.replace(/\s+/g, ' ');
    expect([artist, (probe as { tags: object }).tags]).toMatchObject([onOneLine, { title: onOneLine }]);
  });
});

/** What is refused by its headers, so that no decoder gets it. */
const BOMBS: Record<string, { make: () => Buffer; reason: string }> = {
  'a FLAC that says it lasts three days': {
    make() {
      const flac = make('days.flac', ...tone(1));
      // STREAMINFO: 36 bits of samples behind 20 bits of rate, 3 of channels, 5 of depth (RFC 9639 §8.2).
      const samples = 16_000 * 3 * 86_400;
      flac.writeUInt8((flac.readUInt8(21) & 0xf0) | Math.floor(samples / 2 ** 32), 21);
      flac.writeUInt32BE(samples % 2 ** 32, 22);
      return flac;
    },
    reason: 'TOO_LONG',
  },
  'a film of a million pictures of one pixel': {
    make() {
      make('one.mp4', '-f', 'lavfi', '-i', 'testsrc=s=2x2:r=25:d=0.4', '-vf', 'scale=1:1', '-c:v', 'mpeg4');
      return make('million.mp4', '-stream_loop', '99999', '-i', path.join(folder, 'one.mp4'), '-c', 'copy');
    },
    reason: 'TOO_LONG',
  },
  'a film of a billion pixels': {
    make: () => matroska([track({ codec: 'V_VP8', type: 'video', width: 32_000, height: 32_000 })]),
    reason: 'PICTURE_TOO_LARGE',
  },
  'a Matroska of 10,000 streams': {
    make: () => matroska(Array.from({ length: 10_000 }, () => track({ codec: 'A_PCM/INT/LIT', type: 'audio' }))),
    reason: 'TOO_MANY_STREAMS',
  },
};

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'a bomb', () => {
  test.each(Object.keys(BOMBS))('%s is refused before anything is decoded', async (kind) => {
    const { make: build, reason } = BOMBS[kind]!;
    const bytes = build();
    const file = write('bomb', bytes);
    for (const look of [inspectMedia, inspectSource, readProbe]) {
      await expect(look(file, { signal })).rejects.toMatchObject({ reason, code: 'INVALID_INPUT' });
    }
    // Without a decoder at hand the facts are the same: none was asked.
    const { media } = await createMedia(slice, viewer, { upload: anUpload(bytes, 'x.bin') });
    const row = { id: media!.id, ownerId: viewer.userId, fileId: media!.file.id };
    const programs = { ffmpeg: '/nowhere/ffmpeg', ffprobe: 'ffprobe' };
    const database = slice.platform.database.slice(MEDIA_MODELS);
    await using facts = new MediaFacts(new FactRecords(database), slice.platform, { programs });
    expect(await facts.details(row)).toEqual({ probe: null, durationMs: null, artist: null, album: null });
    expect([await facts.waveform(row, 3), await facts.thumbnail(row, 0, 320), await facts.coverArt(row)]).toEqual([
      null,
      null,
      null,
    ]);
    expect(await database.mediaFacts.findUnique({ where: { mediaId: row.id } })).toMatchObject({
      probeKnown: true,
      peaksKnown: true,
      coverKnown: true,
    });
  });

  test('limits are those of the environment', async () => {
    const film = write('film.mp4', make('film.mp4', '-f', 'lavfi', '-i', 'testsrc=s=64x64:r=10:d=1'));
    await expect(readProbe(film, { signal, maxPixels: 64 * 64 - 1 })).rejects.toMatchObject({
      reason: 'PICTURE_TOO_LARGE',
    });
    await expect(readProbe(film, { signal, maxDurationMs: 999 })).rejects.toMatchObject({ reason: 'TOO_LONG' });
    await expect(readProbe(film, { signal, maxPixels: 64 * 64, maxDurationMs: 1_000 })).resolves.toBeDefined();
  });

  test('a cover of 900 million pixels is no cover', async () => {
    make('cover.png', '-f', 'lavfi', '-i', 'testsrc=s=64x64', '-frames:v', '1');
    const cover = ['-i', path.join(folder, 'cover.png'), '-map', '0:a', '-map', '1:v', '-c:v', 'copy'];
    const mp3 = make('cover.mp3', ...tone(1), ...cover, '-disposition:v', 'attached_pic');
    const at = mp3.indexOf('IHDR');
    mp3.writeUInt32BE(30_000, at + 4);
    mp3.writeUInt32BE(30_000, at + 8);
    expect(await factsOf(mp3)).toMatchObject({ coverArt: null });
  });

  test('a cover above the limit costs a recording nothing but the cover', async () => {
    make('cover.png', '-f', 'lavfi', '-i', 'testsrc=s=64x64', '-frames:v', '1');
    const cover = ['-i', path.join(folder, 'cover.png'), '-map', '0:a', '-map', '1:v', '-c:v', 'copy'];
    make('cover.m4a', ...tone(1), ...cover, '-disposition:v', 'attached_pic');
    make('cover.flac', ...tone(1), ...cover, '-disposition:v', 'attached_pic');
    for (const name of ['cover.m4a', 'cover.flac']) {
      const file = path.join(folder, name);
      const limits = { signal, maxPixels: 64 * 64 - 1 };
      expect((await inspectMedia(file, limits)).video).toBeNull();
      expect((await inspectSource(file, limits)).contents).toEqual({ hasSound: true, hasPicture: false });
      let samples = 0;
      for await (const chunk of decodePcm(file, { signal })) samples += chunk.length;
      expect(samples).toBeGreaterThan(15_000);
    }
  });
});
