import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { aViewer, askFor } from '../../../../platform/testing/calls';
import { describeWhenInstalled, programMissing } from '../../../../platform/testing/installed';
import { MEDIA_MODELS } from '../../records';
import { aScript, openMediaSlice, scripted, type MediaSlice } from '../../testing';
import type { LiveSessionRow } from '../live-session';
import { aHeardSession, inPieces } from '../testing-sessions';
import { recordingOf, type Recording } from './recording';

const viewer = aViewer();
const { signal } = new AbortController();
const ENGINE = { id: 'scripted', version: '7' };
const MAX_FILE_BYTES = 12 * 1024 ** 2;
let slice: MediaSlice;
beforeEach(async () => {
  slice = await openMediaSlice(scripted(aScript()), {}, { maxFileBytes: MAX_FILE_BYTES });
});
afterEach(() => slice[Symbol.asyncDispose]());

const keep = (recording: Recording): Promise<string> =>
  slice.platform.database.slice(MEDIA_MODELS).transaction((tx) => recording.keep(tx, ENGINE));
const record = async (session: LiveSessionRow): Promise<string> => {
  await using recording = await recordingOf(slice.platform, session, signal);
  return await keep(recording!);
};
interface Kept {
  title: string;
  kind: string;
  durationMs: number | null;
  transcript: { id: string };
  file: { id: string };
  lineage: {
    outputId: string;
    kind: string;
    engine: string;
    engineVersion: string;
    inputIds: string[];
    isStale: boolean;
  }[];
}
const READ = `query Read($id: ID!) { media(id: $id) { title kind durationMs transcript { id } file { id }
  lineage { outputId kind engine engineVersion inputIds isStale } } }`;
const read = async (id: string): Promise<Kept> =>
  (await askFor<{ media: Kept }>(slice.subgraph, viewer, READ, { id })).media;
const bytesOf = async ({ file }: Kept): Promise<Buffer> => buffer(await slice.platform.objects.read(file.id));
/** Everything in the store, whether a row speaks of it or not. */
const objects = async (): Promise<string[]> => {
  const folder = path.join(path.dirname(slice.platform.scratchDirectory), 'objects');
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names.filter((name) => name.includes('fil_'));
};

test.each([
  [8_000, 125],
  [48_000, 750],
])('PCM of %d Hz becomes a WAV file, byte for byte', async (sampleRate, durationMs) => {
  const bytes = randomBytes((sampleRate * 2 * durationMs) / 1_000);
  const pieces = [...inPieces(bytes, 202), new Uint8Array()]; // more rows than one page looks at
  const { session } = await aHeardSession(slice, viewer, pieces, { session: { sampleRate, title: 'Stand-up' } });
  const media = await read(await record(session));
  expect(media).toMatchObject({
    title: 'Stand-up',
    kind: 'AUDIO',
    durationMs,
    transcript: { id: session.transcriptId },
  });

  const wav = await bytesOf(media);
  expect(wav.subarray(44).equals(bytes)).toBe(true);
  expect(headerOf(wav)).toEqual({
    names: ['RIFF', 'WAVEfmt ', 'data'],
    sizes: [36 + bytes.length, 16, bytes.length],
    pcmMono: [1, 1],
    rates: [sampleRate, sampleRate * 2],
    block: [2, 16],
  });
  const row = await slice.platform.objects.find(media.file.id, viewer.userId);
  expect(row).toMatchObject({ name: 'Stand-up.wav', mimeType: 'audio/wav', sizeBytes: BigInt(wav.length) });
});

function headerOf(wav: Buffer): object {
  return {
    names: [wav.toString('latin1', 0, 4), wav.toString('latin1', 8, 16), wav.toString('latin1', 36, 40)],
    sizes: [wav.readUInt32LE(4), wav.readUInt32LE(16), wav.readUInt32LE(40)],
    pcmMono: [wav.readUInt16LE(20), wav.readUInt16LE(22)],
    rates: [wav.readUInt32LE(24), wav.readUInt32LE(28)],
    block: [wav.readUInt16LE(32), wav.readUInt16LE(34)],
  };
}

describeWhenInstalled(programMissing('ffmpeg', 'ffmpeg'), 'a container', () => {
  const sounds = ['-f', 'lavfi', '-i', 'sine=duration=2'];
  const made = (...parameters: string[]): Buffer =>
    execFileSync('ffmpeg', ['-v', 'error', ...parameters, 'pipe:1'], { maxBuffer: 2 ** 24 });
  const webm = ['-f', 'webm', '-live', '1'];
  test.each([
    ['the sound of a recorder', [...sounds, ...webm], 'AUDIO', 'webm', 'video/webm'],
    [
      'a film',
      [...sounds, '-f', 'lavfi', '-i', 'testsrc=size=64x64:duration=2', ...webm],
      'VIDEO',
      'webm',
      'video/webm',
    ],
    ['MP3', [...sounds, '-f', 'mp3'], 'AUDIO', 'mp3', 'audio/mpeg'],
    ['Ogg', [...sounds, '-c:a', 'libopus', '-f', 'ogg'], 'AUDIO', 'ogg', 'audio/ogg'],
  ])('stays as it came: %s', async (_what, parameters, kind, ending, mimeType) => {
    const bytes = made(...parameters);
    const session = { encoding: 'CONTAINER', title: 'Talk' } as const;
    const heard = await aHeardSession(slice, viewer, inPieces(bytes, 1_000), { session });
    const media = await read(await record(heard.session));
    expect(media).toMatchObject({ title: 'Talk', kind });
    expect((await bytesOf(media)).equals(bytes)).toBe(true);
    const row = await slice.platform.objects.find(media.file.id, viewer.userId);
    expect(row).toMatchObject({ name: `Talk.${ending}`, mimeType });
    expect(await readdir(slice.platform.scratchDirectory)).toEqual([]);
  });
});

test('a session to which nothing was sent, or that shall not be recorded, leaves no recording', async () => {
  const unwanted = await aHeardSession(slice, viewer, [randomBytes(3_200)], { session: { record: false } });
  expect(await recordingOf(slice.platform, unwanted.session, signal)).toBeNull();
  const { session } = await aHeardSession(slice, viewer, [new Uint8Array()]);
  expect(await recordingOf(slice.platform, session, signal)).toBeNull();
});

test('the lineage says that the engine has listened live, and another or better engine for recordings makes nothing stale', async () => {
  const { session } = await aHeardSession(slice, viewer, [randomBytes(3_200)]);
  const keepWith = async (engine: { id: string }): Promise<string> => {
    const recording = await recordingOf(slice.platform, session, signal);
    return slice.platform.database.slice(MEDIA_MODELS).transaction((tx) => recording!.keep(tx, engine));
  };
  const media = await read(await keepWith({ id: 'a-live-engine' }));
  const line = { outputId: session.transcriptId, kind: 'TRANSCRIBE', inputIds: [media.file.id] };
  expect(media.lineage).toEqual([{ ...line, engine: 'a-live-engine', engineVersion: '', isStale: false }]);
  const other = await read(await keepWith({ id: 'scripted' }));
  expect(other.lineage).toMatchObject([{ engine: 'scripted', isStale: false }]);
});

test('the lineage is stale once the engine that has listened is there in another version', async () => {
  const { session } = await aHeardSession(slice, viewer, [randomBytes(3_200)]);
  expect((await read(await record(session))).lineage).toMatchObject([{ engineVersion: '7', isStale: true }]);
});

test('what is held and not kept is gone, and what a crash leaves between the two is no recording', async () => {
  const { session } = await aHeardSession(slice, viewer, [randomBytes(3_200)]);
  await using crashed = await recordingOf(slice.platform, session, signal);
  {
    await using recording = await recordingOf(slice.platform, session, signal);
    expect(recording).not.toBeNull();
    expect(await objects()).toHaveLength(2);
  }
  expect(await objects()).toHaveLength(1);
  const { prisma } = slice.platform.database;
  expect([await prisma.media.count(), await prisma.storedObject.count()]).toEqual([0, 0]);
  expect(await slice.platform.objects.sweep(0)).toBe(1); // as it does where a worker has died
  await record(session); // the next worker
  expect([await prisma.media.count(), await prisma.storedObject.count(), (await objects()).length]).toEqual([1, 1, 1]);
  await crashed![Symbol.asyncDispose]();
});

test('a transaction that rolls back leaves neither file nor media, and the next one may keep the sound', async () => {
  const { session } = await aHeardSession(slice, viewer, [randomBytes(3_200)]);
  const { prisma } = slice.platform.database;
  const recording = await recordingOf(slice.platform, session, signal);
  const failing = slice.platform.database.slice(MEDIA_MODELS).transaction(async (tx) => {
    await recording!.keep(tx, ENGINE);
    throw new Error('the session belongs to another worker now');
  });
  await expect(failing).rejects.toThrow('another worker');
  await recording![Symbol.asyncDispose]();
  const transcript = await prisma.transcript.findUniqueOrThrow({ where: { id: session.transcriptId } });
  expect([transcript.mediaId, await prisma.media.count(), await prisma.storedObject.count()]).toEqual([null, 0, 0]);
  await record(session);
  expect(await prisma.media.count()).toBe(1);
});

test('what is longer than a file may be is refused before a byte is written, and the owner is told how long', async () => {
  const { session } = await aHeardSession(slice, viewer, [randomBytes(3_200)]);
  const limited = { ...slice.platform, maxFileBytes: 3_243 };
  const refusal = { code: 'FILE_TOO_LARGE', message: expect.stringMatching(/3244 bytes.*at most 3243.*transcript is/) };
  await expect(recordingOf(limited, session, signal)).rejects.toMatchObject(refusal);
  expect(await objects()).toEqual([]);
  await using recording = await recordingOf({ ...limited, maxFileBytes: 3_244 }, session, signal);
  expect(recording).not.toBeNull();
});

test('a container that is no recording is refused, and nothing of it is kept', async () => {
  const session = { encoding: 'CONTAINER' } as const;
  const heard = await aHeardSession(slice, viewer, [Buffer.from('no sound at all '.repeat(1_000))], { session });
  const refusal = { name: 'RecordingRefused', code: 'TYPE_NOT_ALLOWED' };
  await expect(recordingOf(slice.platform, heard.session, signal)).rejects.toMatchObject(refusal);
  expect(await objects()).toEqual([]);
});

test('sound with a hole becomes no recording', async () => {
  const { session } = await aHeardSession(slice, viewer, inPieces(randomBytes(4_000), 1_000));
  await slice.platform.database.prisma.liveAudio.deleteMany({ where: { sessionId: session.id, row: 3 } });
  await expect(recordingOf(slice.platform, session, signal)).rejects.toThrow(/hole behind 2000 of 4000 bytes/);
  expect(await objects()).toEqual([]);
});

test('the signal ends it', async () => {
  const { session } = await aHeardSession(slice, viewer, [randomBytes(4_000)]);
  const stopped = AbortSignal.abort(new Error('the worker stops'));
  await expect(recordingOf(slice.platform, session, stopped)).rejects.toThrow('the worker stops');
  expect(await objects()).toEqual([]);
});

test('ten megabytes in a thousand rows are read in small pages', async () => {
  const bytes = randomBytes(10 * 1024 ** 2);
  const { session } = await aHeardSession(slice, viewer, inPieces(bytes, 10_240));
  let [queries, most] = [0, 0];
  const { platform } = slice;
  const { liveAudio, ...models } = platform.database.slice(MEDIA_MODELS);
  const findMany: typeof liveAudio.findMany = ((wanted: never) =>
    liveAudio.findMany(wanted).then((rows) => {
      queries++;
      most = Math.max(
        most,
        rows.reduce((sum, row) => sum + row.bytes.length, 0),
      );
      return rows;
    })) as never;
  const database = { ...platform.database, slice: () => ({ ...models, liveAudio: { ...liveAudio, findMany } }) };
  await using recording = await recordingOf({ ...platform, database: database as never }, session, signal);
  const media = await read(await keep(recording!));
  expect((await bytesOf(media)).subarray(44).equals(bytes)).toBe(true);
  expect(queries).toBeGreaterThanOrEqual(40);
  expect(most).toBeLessThanOrEqual(256 * 1024 + 10_240);
});
