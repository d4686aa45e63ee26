import { newId } from '../../../../platform/ids';
import type { Platform } from '../../../../platform/platform';
import { openTestPlatform, type TestPlatform } from '../../../../platform/testing/platform';
import { waitFor } from '../../../../platform/testing/wait';
import { transcriptTopic } from '../../events';
import { MEDIA_MODELS } from '../../records';
import { AudioStore, type AudioLimits, type Writer } from './audio-store';
import { SequenceGap, WriterReplaced } from './problems';
import { aLiveSession } from '../testing-sessions';
import { hear, pcm, sessionRow, storedAudio } from './testing';

let opened: TestPlatform;
let platform: Platform;
let store: AudioStore;
beforeAll(async () => {
  opened = await openTestPlatform();
  platform = opened.platform;
  store = aStore();
});
afterAll(() => opened[Symbol.asyncDispose]());

/** As another process has one. */
function aStore(limits?: AudioLimits): AudioStore {
  return new AudioStore(platform.database.slice(MEDIA_MODELS), platform.events, limits);
}

let tokens = 0;
async function connected(sessionId: string, by = store): Promise<Writer> {
  return (await by.connect(sessionId, `token ${String(++tokens).padStart(9, '0')}`))!.writer;
}

const chunk = (sequence: number, ms = 100) => ({ sequence, bytes: pcm(ms, sequence) });
const single = (sessionId: string): Writer => ({ sessionId, number: 0 });
const codeOf = (error: unknown): unknown => (error as { problem?: { code: string } }).problem?.code;
const failure = (work: Promise<unknown>): Promise<unknown> => work.then(() => 'nothing failed', codeOf);

/** The states that readers of the transcript were told of. */
async function told(sessionId: string): Promise<string[]> {
  const { transcriptId } = await sessionRow(platform, sessionId);
  const rows = await platform.database.prisma.$queryRaw<{ state: string }[]>`
    select payload->'session'->>'state' as state from platform.event
     where topic = ${transcriptTopic(transcriptId).name} and payload->>'type' = 'session.changed' order by seq`;
  return rows.map(({ state }) => state);
}

/** A worker with so many places. */
async function places(count: number): Promise<void> {
  await platform.database.prisma.$executeRaw`
    insert into media.live_worker (id, places, seen_at) values ('worker', ${count}, now() + interval '1 hour')
    on conflict (id) do update set places = ${count}`;
}

test('the first chunk begins the session and is told; those that follow are stored in order', async () => {
  const id = await aLiveSession(platform);
  const writer = await connected(id);
  const first = await store.append(writer, [chunk(1)]);
  expect(first).toEqual({ state: 'LIVE', acknowledgedSequence: 1, storedBytes: 3_200, unheardBytes: 3_200 });
  await store.append(writer, [chunk(2), chunk(3)]);
  await hear(platform, id, 100);
  expect((await store.append(writer, [chunk(4)])).unheardBytes).toBe(3_300);
  const row = await sessionRow(platform, id);
  expect(row).toMatchObject({ state: 'LIVE', acknowledgedSequence: 4, storedRows: 3, storedBytes: 12_800n });
  expect(row.startedAt).not.toBeNull();
  expect(await storedAudio(platform, id)).toEqual(Buffer.concat([1, 2, 3, 4].map((n) => pcm(100, n))));
  expect(await told(id)).toEqual(['LIVE']);
});

test('replayed chunks are stored once, also together with new ones', async () => {
  const id = await aLiveSession(platform);
  const writer = await connected(id);
  await store.append(writer, [chunk(1), chunk(2)]);
  expect((await store.append(writer, [chunk(1), chunk(2)])).acknowledgedSequence).toBe(2);
  expect((await store.append(writer, [chunk(2), chunk(3)])).acknowledgedSequence).toBe(3);
  expect((await storedAudio(platform, id)).length).toBe(9_600);
});

test('a gap is refused with the number that is expected, and nothing of it is kept', async () => {
  const id = await aLiveSession(platform);
  const writer = await connected(id);
  await store.append(writer, [chunk(1)]);
  const gap: unknown = await store.append(writer, [chunk(3)]).catch((error: unknown) => error);
  expect(gap).toBeInstanceOf(SequenceGap);
  expect((gap as SequenceGap).expectedSequence).toBe(2);
  expect(await failure(store.append(writer, [chunk(2), chunk(4)]))).toBe('CONFLICT');
  expect((await storedAudio(platform, id)).length).toBe(3_200);
});

test.each([
  ['an odd number of bytes', Buffer.alloc(3)],
  ['no bytes', Buffer.alloc(0)],
  ['more than a second', pcm(1_001)],
])('a chunk of PCM with %s is refused', async (_what, bytes) => {
  const id = await aLiveSession(platform);
  expect(await failure(store.append(await connected(id), [{ sequence: 1, bytes }]))).toBe('INVALID_INPUT');
  expect(await failure(store.append({ sessionId: id, number: 0 }, [{ sequence: 1, bytes }]))).toMatch(
    /INVALID_INPUT|CONFLICT/,
  );
  expect(await storedAudio(platform, id)).toHaveLength(0);
});

test.each([
  ['WebM', '1a45dfa3'],
  ['Ogg', '4f676753'],
  ['MP3', '49443304'],
])('%s is refused where samples are expected, before anything is stored', async (name, beginning) => {
  const bytes = Buffer.concat([Buffer.from(beginning, 'hex'), pcm(50)]);
  const id = await aLiveSession(platform);
  const writer = await connected(id);
  const refused: unknown = await store.append(writer, [{ sequence: 1, bytes }]).catch((error: unknown) => error);
  expect(codeOf(refused)).toBe('INVALID_INPUT');
  expect((refused as Error).message).toContain(`${name}`);
  expect((refused as Error).message).toContain('"encoding": "container"');
  expect(await storedAudio(platform, id)).toHaveLength(0);
  // Anything may come in the middle of sound, and the beginning of a container that is expected.
  await store.append(writer, [chunk(1), { sequence: 2, bytes }]);
  const container = await aLiveSession(platform, { encoding: 'CONTAINER' });
  expect((await store.append(await connected(container), [{ sequence: 1, bytes }])).acknowledgedSequence).toBe(1);
});

test('a container comes in chunks of any length up to 256 KiB', async () => {
  const id = await aLiveSession(platform, { encoding: 'CONTAINER' });
  const writer = await connected(id);
  const most = 256 * 1024;
  await store.append(writer, [{ sequence: 1, bytes: Buffer.alloc(most, 7) }]);
  await store.append(writer, [{ sequence: 2, bytes: Buffer.from('odd') }]);
  expect(await failure(store.append(writer, [{ sequence: 3, bytes: Buffer.alloc(most + 1) }]))).toBe('INVALID_INPUT');
  expect(await storedAudio(platform, id)).toHaveLength(most + 3);
});

test('a token is good once, and older ones are void from then on', async () => {
  const id = await aLiveSession(platform);
  expect((await store.connect(id, 'b'))?.writer.number).toBe(1);
  expect(await store.connect(id, 'b')).toBeNull();
  expect(await store.connect(id, 'a')).toBeNull();
  expect((await store.connect(id, 'c'))?.writer.number).toBe(2);
  expect(await store.connect('liv_unknown', 'd')).toBeNull();
});

test('a writer that comes back to a session that is LIVE is not silent before it could send anything', async () => {
  const id = await aLiveSession(platform);
  await store.append(await connected(id), [chunk(1)]);
  await platform.database.prisma.$executeRaw`
    update media.live_session set last_audio_at = now() - interval '1 minute' where id = ${id}`;
  const before = Date.now();
  await connected(id);
  expect((await sessionRow(platform, id)).lastAudioAt!.getTime()).toBeGreaterThanOrEqual(before - 1_000);
});

test('a second writer, also in another process, takes the place of the first: that one can do nothing more', async () => {
  const id = await aLiveSession(platform);
  const other = aStore();
  const first = await connected(id);
  await store.append(first, [chunk(1)]);
  const second = await connected(id, other);
  for (const call of [
    () => store.append(first, [chunk(2)]),
    () => store.append(first, [chunk(1)]),
    () => store.flush(first),
    () => store.end(first),
    () => store.seen(first),
    () => store.reached(first),
  ])
    await expect(call()).rejects.toBeInstanceOf(WriterReplaced);
  await store.leave(first);
  expect((await sessionRow(platform, id)).writerSeenAt).not.toBeNull();
  expect((await other.append(second, [chunk(2)])).acknowledgedSequence).toBe(2);
  await other.leave(second);
  expect((await sessionRow(platform, id)).writerSeenAt).toBeNull();
});

test('of two writers that store at the same moment only the newer one does', async () => {
  const id = await aLiveSession(platform);
  const first = await connected(id);
  await store.append(first, [chunk(1)]);
  const second = await connected(id);
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, (_, index) => store.append(index % 2 === 0 ? first : second, [chunk(2)])),
  );
  expect(results.map(({ status }) => status)).toEqual(
    Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? 'rejected' : 'fulfilled')),
  );
  expect((await storedAudio(platform, id)).length).toBe(6_400);
});

test('single calls are taken while no writer is connected, and again when it has left', async () => {
  const id = await aLiveSession(platform);
  expect((await store.append(single(id), [chunk(1)])).acknowledgedSequence).toBe(1);
  expect((await store.append(single(id), [chunk(2)])).acknowledgedSequence).toBe(2);
  const writer = await connected(id);
  await expect(store.append(single(id), [chunk(3)])).rejects.toBeInstanceOf(WriterReplaced);
  expect((await store.append(single(id), [chunk(2)])).acknowledgedSequence).toBe(2); // was stored before
  await store.flush(single(id));
  await store.leave(writer);
  expect((await store.append(single(id), [chunk(3)])).acknowledgedSequence).toBe(3);
  const gone = await connected(id);
  await platform.database.prisma.$executeRaw`
    update media.live_session set writer_seen_at = now() - interval '16 seconds' where id = ${id}`;
  expect((await store.append(single(id), [chunk(4)])).acknowledgedSequence).toBe(4);
  await store.seen(gone);
  await expect(store.append(single(id), [chunk(5)])).rejects.toBeInstanceOf(WriterReplaced);
});

test('the same single call many times at once stores its chunk once, and every one is told so', async () => {
  const id = await aLiveSession(platform);
  const calls = Array.from({ length: 8 }, () => store.append(single(id), [chunk(1)]));
  for (const stored of await Promise.all(calls))
    expect(stored).toMatchObject({ acknowledgedSequence: 1, state: 'LIVE' });
  expect(await storedAudio(platform, id)).toHaveLength(3_200);
  expect(await told(id)).toEqual(['LIVE']);
});

test('single calls are told to wait while more than 30 s wait to be heard', async () => {
  const id = await aLiveSession(platform);
  for (let second = 1; second <= 31; second++) await store.append(single(id), [chunk(second, 1_000)]);
  const error = await store.append(single(id), [chunk(32, 1_000)]).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ problem: { code: 'ENGINE_BUSY', retryAfterMs: 1_000 } });
  await hear(platform, id);
  expect((await store.append(single(id), [chunk(32)])).acknowledgedSequence).toBe(32);
});

test('a paused session takes a place before it goes on, and keeps nothing when there is none', async () => {
  const id = await aLiveSession(platform, { state: 'PAUSED' });
  const writer = await connected(id);
  await places(0);
  expect(await failure(store.append(writer, [chunk(1)]))).toBe('ENGINE_UNAVAILABLE');
  await places(1);
  const other = await aLiveSession(platform, { state: 'LIVE' });
  const busy = await store.append(writer, [chunk(1)]).catch((error: unknown) => error);
  expect(busy).toMatchObject({ problem: { code: 'ENGINE_BUSY', retryAfterMs: expect.any(Number) as number } });
  expect(await sessionRow(platform, id)).toMatchObject({ state: 'PAUSED', acknowledgedSequence: 0 });
  await platform.database.prisma.liveSession.updateMany({ where: { id: { not: id } }, data: { state: 'ENDED' } });
  expect((await store.append(writer, [chunk(1)])).state).toBe('LIVE');
  expect(await told(id)).toEqual(['LIVE']);
  expect(await told(other)).toEqual([]);
});

test('an account resumes no more sessions than it may start, however many have paused', async () => {
  const ownerId = newId('usr');
  await places(10);
  const ids = await Promise.all([1, 2, 3, 4].map(() => aLiveSession(platform, { state: 'PAUSED', ownerId })));
  const two = aStore({ sessionsPerAccount: 2 });
  const resume = async (id: string): Promise<unknown> => failure(two.append(single(id), [chunk(1)]));
  const results = await Promise.all(ids.map(resume));
  expect(results.sort()).toEqual(['ENGINE_BUSY', 'ENGINE_BUSY', 'nothing failed', 'nothing failed']);
  const rows = await platform.database.prisma.liveSession.findMany({ where: { ownerId }, orderBy: { state: 'asc' } });
  expect(rows.map(({ state, storedRows }) => [state, storedRows])).toEqual([
    ...['LIVE', 'LIVE'].map((state) => [state, 1]),
    ...['PAUSED', 'PAUSED'].map((state) => [state, 0]),
  ]);
  await two.end(single(rows[0]!.id));
  expect(await resume(rows[2]!.id)).toBe('ENGINE_BUSY'); // one that is ENDING still holds its place
  await platform.database.prisma.liveSession.update({ where: { id: rows[0]!.id }, data: { state: 'ENDED' } });
  expect(await resume(rows[2]!.id)).toBe('nothing failed');
});

test('a flush stands behind the audio before it, in a session in which something may be being said', async () => {
  const id = await aLiveSession(platform);
  const writer = await connected(id);
  await store.flush(writer);
  await store.append(writer, [chunk(1)]);
  expect((await store.flush(writer)).acknowledgedSequence).toBe(1);
  await store.append(writer, [chunk(2)]);
  const rows = await platform.database.prisma.liveAudio.findMany({
    where: { sessionId: id },
    orderBy: { row: 'asc' },
    select: { row: true, fromByte: true, lastSequence: true, flush: true },
  });
  expect(rows).toEqual([
    { row: 1, fromByte: 0n, lastSequence: 1, flush: false },
    { row: 2, fromByte: 3_200n, lastSequence: 1, flush: true },
    { row: 3, fromByte: 3_200n, lastSequence: 2, flush: false },
  ]);
});

test('the end is told once; afterwards only what was stored before is taken', async () => {
  const id = await aLiveSession(platform);
  const writer = await connected(id);
  await store.append(writer, [chunk(1)]);
  expect((await store.end(writer)).state).toBe('ENDING');
  expect((await store.end(single(id))).state).toBe('ENDING');
  expect(await told(id)).toEqual(['LIVE', 'ENDING']);
  expect((await sessionRow(platform, id)).isComplete).toBe(true);
  expect((await store.append(writer, [chunk(1)])).acknowledgedSequence).toBe(1);
  for (const call of [store.append(writer, [chunk(2)]), store.flush(writer), store.seen(writer)])
    expect(await failure(call)).toBe('INVALID_STATE');
  expect(await failure(store.end(single('liv_unknown')))).toBe('NOT_FOUND');
  const failed = await aLiveSession(platform, { state: 'FAILED' });
  expect(await failure(store.end(single(failed)))).toBe('INVALID_STATE');
  expect(await failure(store.append(single(failed), [chunk(1)]))).toBe('INVALID_STATE');
});

test('a session that is as long as it may be is ended with what fits', async () => {
  const id = await aLiveSession(platform);
  const short = aStore({ maxDurationMs: 1_000 });
  const writer = await connected(id, short);
  await short.append(writer, [chunk(1, 600)]);
  const last = await short.append(writer, [chunk(2, 400), chunk(3)]);
  expect(last).toMatchObject({ state: 'ENDING', acknowledgedSequence: 2, storedBytes: 32_000 });
  expect(await told(id)).toEqual(['LIVE', 'ENDING']);
  expect(await failure(short.append(writer, [chunk(3)]))).toBe('INVALID_STATE');
});

test('whoever listens is woken by audio, a flush and the end', async () => {
  const id = await aLiveSession(platform);
  const writer = await connected(id);
  const heard: (string | undefined)[] = [];
  const unlisten = platform.notifications.on('sauti_live', (session) => heard.push(session));
  try {
    await store.append(writer, [chunk(1)]);
    await store.append(writer, [chunk(2)]);
    await store.flush(writer);
    await store.end(writer);
    await waitFor('four notifications', () => heard.filter((session) => session === id).length === 4);
  } finally {
    unlisten();
  }
});
