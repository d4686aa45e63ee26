import { Readable } from 'node:stream';
import { aViewer, anUpload, ask, askFor } from '../../../platform/testing/calls';
import { aScript, openMediaSlice, scripted, type MediaSlice } from '../testing';
import { hear, storedAudio } from './ingest/testing';
import { AudioStore } from './ingest/audio-store';
import { IngestTokens } from './ingest/ingest-token';
import { MEDIA_MODELS } from '../records';
import { aLastingWorker, changeLive, startLive, takeLive, WrittenLive, type LivePayload } from './testing-live';

const viewer = aViewer();
let slice: MediaSlice;
let id: string;
let live: WrittenLive;

beforeAll(async () => {
  slice = await openMediaSlice(scripted(aScript()));
  await aLastingWorker(slice, 1);
});
beforeEach(() => start());
afterEach(() => slice.platform.database.prisma.liveSession.deleteMany());
afterAll(() => slice[Symbol.asyncDispose]());

async function start(input: object = {}): Promise<void> {
  await slice.platform.database.prisma.liveSession.deleteMany();
  const { session } = await startLive(slice, viewer, input);
  id = session!.id;
  live = new WrittenLive(slice, id, session!.transcript.id);
}

/** 100 ms of sound, all of it this byte. */
const sound = (byte: number, bytes = 3_200): Buffer => Buffer.alloc(bytes, byte);

function append(sequence: number, chunk: Buffer | Readable = sound(sequence), more: object = {}): Promise<LivePayload> {
  const input = { sessionId: id, sequence, chunk: anUpload(chunk), ...more };
  return changeLive(slice, viewer, ['appendLiveAudio', 'AppendLiveAudioInput'], input);
}
const flush = () => changeLive(slice, viewer, ['flushLiveSession', 'LiveSessionIdInput'], { sessionId: id });
const end = () => changeLive(slice, viewer, ['endLiveSession', 'LiveSessionIdInput'], { sessionId: id });
const codes = ({ errors }: LivePayload): string[] => errors.map(({ code, path }) => [code, ...(path ?? [])].join(' '));
const rows = () => slice.platform.database.prisma.liveAudio.count({ where: { sessionId: id } });

test('chunks are stored one behind the other; the first begins the session, the last one ends it', async () => {
  expect(await append(1)).toMatchObject({
    session: { state: 'LIVE', acknowledgedSequence: 1, storedBytes: 3_200 },
    errors: [],
  });
  expect(codes(await append(2))).toEqual([]);
  expect(await append(3, sound(3, 2), { last: true })).toMatchObject({
    session: { state: 'ENDING', acknowledgedSequence: 3, storedBytes: 6_402 },
  });
  expect(await storedAudio(slice.platform, id)).toEqual(Buffer.concat([sound(1), sound(2), sound(3, 2)]));
  const states = (await takeLive(slice, viewer, { id }, 3)).map(({ session }) => session!.state);
  expect(states).toEqual(['WAITING', 'LIVE', 'ENDING']);
});

test('each of several calls in one request answers the session as it is behind that call', async () => {
  const query = `mutation Go($first: AppendLiveAudioInput!, $second: AppendLiveAudioInput!, $id: ID!) {
    first: appendLiveAudio(input: $first) { session { acknowledgedSequence } }
    second: appendLiveAudio(input: $second) { session { acknowledgedSequence } }
    end: endLiveSession(input: { sessionId: $id }) { session { state } } }`;
  const [first, second] = [1, 2].map((sequence) => ({ sessionId: id, sequence, chunk: anUpload(sound(sequence)) }));
  expect(await askFor(slice.subgraph, viewer, query, { first, second, id })).toEqual({
    first: { session: { acknowledgedSequence: 1 } },
    second: { session: { acknowledgedSequence: 2 } },
    end: { session: { state: 'ENDING' } },
  });
});

test('a chunk that comes twice is stored once, also at the same moment and behind the end', async () => {
  const answers = await Promise.all([1, 2, 3, 4].map(() => append(1)));
  for (const answer of answers) expect(answer).toMatchObject({ session: { acknowledgedSequence: 1 }, errors: [] });
  const last = { last: true };
  for (const _time of [1, 2]) expect(codes(await append(2, sound(2), last))).toEqual([]);
  expect(await storedAudio(slice.platform, id)).toEqual(Buffer.concat([sound(1), sound(2)]));
  expect(codes(await append(3))).toEqual(['INVALID_STATE input sessionId']);
});

test('a chunk behind a gap is refused, and the message names the one that is expected', async () => {
  await append(1);
  const answer = await append(3);
  expect(codes(answer)).toEqual(['CONFLICT input sequence']);
  expect(answer).toMatchObject({
    session: null,
    errors: [{ message: expect.stringContaining('Chunk 2 is expected') }],
  });
  expect(codes(await append(2))).toEqual([]);
});

test.each([
  ['chunk 0', () => append(0), 'INVALID_INPUT input sequence'],
  ['an empty chunk', () => append(1, sound(1, 0)), 'INVALID_INPUT input chunk'],
  ['half a sample', () => append(1, sound(1, 3_201)), 'INVALID_INPUT input chunk'],
  ['a chunk of more than a second', () => append(1, sound(1, 32_002)), 'INVALID_INPUT input chunk'],
])('%s is refused, and nothing is kept of it', async (_what, call, expected) => {
  expect(codes(await call())).toEqual([expected]);
  expect(await rows()).toBe(0);
  expect(codes(await append(1, sound(1, 32_000)))).toEqual([]);
});

test('a chunk of any size is given up as soon as it is too large', async () => {
  let given = 0;
  const endless = Readable.from(
    (function* () {
      for (; given < 10_000; given++) yield sound(1, 65_536);
    })(),
    { highWaterMark: 1 },
  );
  endless.resume = () => endless; // what passes by unread behind the answer is not what is looked at here
  expect(codes(await append(1, endless))).toEqual(['INVALID_INPUT input chunk']);
  expect(given).toBeLessThan(100);
  expect(await rows()).toBe(0);
});

test('an upload that breaks off is no chunk', async () => {
  const broken = new Readable({ read: () => void broken.destroy(new Error('gone')) });
  expect(codes(await append(1, broken))).toEqual(['INVALID_INPUT input chunk']);
  expect(await rows()).toBe(0);
});

test('a stream of a container may have larger chunks, of any length', async () => {
  await start({ encoding: 'container' });
  expect(codes(await append(1, sound(1, 262_144)))).toEqual([]);
  expect(codes(await append(2, sound(1, 262_145)))).toEqual(['INVALID_INPUT input chunk']);
  expect(codes(await append(2, sound(1, 1)))).toEqual([]);
});

test('who sends faster than is heard is told to come again', async () => {
  for (let sequence = 1; sequence <= 31; sequence++) await append(sequence, sound(1, 32_000));
  const { errors } = await append(32, sound(1, 32_000));
  expect(errors).toMatchObject([{ code: 'ENGINE_BUSY', path: ['input', 'sessionId'] }]);
  expect(errors[0]!.retryAfterMs).toBeGreaterThan(0);
  await hear(slice.platform, id);
  expect(codes(await append(32, sound(1, 32_000)))).toEqual([]);
});

test('a paused session takes its place again with the next chunk, or waits for one', async () => {
  await append(1);
  await live.become({ state: 'PAUSED' });
  const other = await startLive(slice, aViewer());
  expect(other.errors).toEqual([]);
  const { errors } = await append(2);
  expect(errors).toMatchObject([{ code: 'ENGINE_BUSY', retryAfterMs: expect.any(Number) }]);
  expect(await rows()).toBe(1);
  await slice.platform.database.prisma.liveSession.delete({ where: { id: other.session!.id } });
  expect(await append(2)).toMatchObject({ session: { state: 'LIVE', acknowledgedSequence: 2 }, errors: [] });
});

test('while a writer is connected, single chunks are refused, but it can be flushed and ended', async () => {
  await append(1);
  const { database, events, secret } = slice.platform;
  const store = new AudioStore(database.slice(MEDIA_MODELS), events);
  const tokens = new IngestTokens(secret);
  const { writer } = (await store.connect(id, tokens.numberOf(id, tokens.make(id).token)!))!;
  expect(codes(await append(2))).toEqual(['CONFLICT input sessionId']);
  expect(codes(await flush())).toEqual([]);
  await store.leave(writer);
  expect(codes(await append(2))).toEqual([]);
  expect(await end()).toMatchObject({ session: { state: 'ENDING' } });
});

test('a flush is a mark in the audio; nothing is to be flushed before any has come', async () => {
  expect(codes(await flush())).toEqual([]);
  expect(await rows()).toBe(0);
  await append(1);
  for (const _time of [1, 2]) expect(codes(await flush())).toEqual([]);
  await append(2);
  const found = await slice.platform.database.prisma.liveAudio.findMany({
    where: { sessionId: id },
    orderBy: { row: 'asc' },
    select: { flush: true, fromByte: true },
  });
  expect(found.map(({ flush, fromByte }) => [flush, Number(fromByte)])).toEqual([
    ...[
      [false, 0],
      [true, 3_200],
      [true, 3_200],
      [false, 3_200],
    ],
  ]);
});

test('a session ends once, however often that is said, and takes nothing more', async () => {
  await append(1);
  for (const _time of [1, 2]) expect(await end()).toMatchObject({ session: { state: 'ENDING' }, errors: [] });
  expect(codes(await append(2))).toEqual(['INVALID_STATE input sessionId']);
  expect(codes(await flush())).toEqual(['INVALID_STATE input sessionId']);
  await live.end();
  expect(await end()).toMatchObject({ session: { state: 'ENDED' }, errors: [] });
  expect(codes(await flush())).toEqual(['INVALID_STATE input sessionId']);
  expect((await takeLive(slice, viewer, { id })).map(({ session }) => session!.state)).toEqual([
    ...['WAITING', 'LIVE', 'ENDING', 'ENDED'],
  ]);
});

test.each(['appendLiveAudio', 'flushLiveSession', 'endLiveSession'])(
  '%s needs somebody who is signed in',
  async (field) => {
    const [type, input] =
      field === 'appendLiveAudio'
        ? ['AppendLiveAudioInput', { sessionId: id, sequence: 1, chunk: anUpload(sound(1)) }]
        : ['LiveSessionIdInput', { sessionId: id }];
    const query = `mutation Go($input: ${type}!) { ${field}(input: $input) { errors { code } } }`;
    const { errors } = await ask(slice.subgraph, null, query, { input });
    expect(errors?.map(({ extensions }) => extensions?.['code'])).toEqual(['UNAUTHENTICATED']);
  },
);

describe('where to send audio', () => {
  interface Ingest {
    webSocketUrl: string;
    httpUrl: string;
    token: string;
    expiresAt: string;
    encodings: string[];
    sampleRate: number | null;
    maxChunkMs: number;
    maxChunkBytes: number;
  }
  const ingest = async (): Promise<Ingest | null> => {
    const query = `query Read($id: ID!) { liveSession(id: $id) { ingest {
      webSocketUrl httpUrl token expiresAt encodings sampleRate maxChunkMs maxChunkBytes } } }`;
    return (await askFor<{ liveSession: { ingest: Ingest | null } }>(slice.subgraph, viewer, query, { id })).liveSession
      .ingest;
  };

  test('is told with another token each time, which is for this session alone', async () => {
    await start({ sampleRate: 48_000 });
    const [first, second] = [(await ingest())!, (await ingest())!];
    expect(first).toMatchObject({
      ...{ webSocketUrl: `ws://localhost:4000/live/${id}`, httpUrl: `http://localhost:4000/live/${id}` },
      ...{ encodings: ['pcm_s16le'], sampleRate: 48_000, maxChunkMs: 1_000, maxChunkBytes: 96_000 },
    });
    const tokens = new IngestTokens(slice.platform.secret);
    const [older, newer] = [first, second].map(({ token }) => tokens.numberOf(id, token)!);
    expect(newer! > older!).toBe(true);
    const lastId = id;
    await start();
    expect(tokens.numberOf(id, first.token)).toBeNull();
    expect(tokens.numberOf(lastId, first.token)).toBe(older);
  });

  test('says what containers are taken, and nothing once no more audio is', async () => {
    await start({ encoding: 'container' });
    expect(await ingest()).toMatchObject({
      ...{ encodings: ['webm', 'ogg', 'mp3'], sampleRate: null, maxChunkBytes: 262_144 },
    });
    await append(1);
    await live.become({ state: 'PAUSED' });
    expect(await ingest()).not.toBeNull();
    await end();
    expect(await ingest()).toBeNull();
    await live.become({ state: 'ENDED' });
    expect(await ingest()).toBeNull();
  });
});
