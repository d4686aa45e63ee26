import { aViewer, ask, askFor } from '../../../platform/testing/calls';
import { leaveCredits } from '../../../platform/testing/ledger';
import { aScript, openMediaSlice, scripted, type MediaSlice, type Script } from '../testing';
import { aLastingWorker, aLiveWorker, startLive, takeLive, WrittenLive, type ShownLive } from './testing-live';

let slice: MediaSlice;
let script: Script;
const viewer = aViewer();

beforeAll(async () => {
  script = aScript();
  slice = await openMediaSlice(scripted(script));
});
beforeEach(async () => {
  const { prisma } = slice.platform.database;
  await prisma.liveSession.deleteMany();
  await prisma.liveWorker.deleteMany();
  script.probe = { available: true };
});
afterAll(() => slice[Symbol.asyncDispose]());

const codes = async (answer: ReturnType<typeof startLive>): Promise<string[]> =>
  (await answer).errors.map(({ code, path }) => [code, ...(path ?? [])].join(' '));
const setStates = (state: 'ENDED' | 'PAUSED' | 'LIVE') =>
  slice.platform.database.prisma.liveSession.updateMany({ data: { state } });

test('a session waits for audio, has a transcript that grows, and tells itself', async () => {
  await aLastingWorker(slice, 1);
  const { session, errors } = await startLive(slice, viewer, { title: '  My talk ', options: { language: 'sw' } });
  expect(errors).toEqual([]);
  expect(session).toMatchObject({
    ...{ state: 'WAITING', title: 'My talk', engine: 'scripted', acknowledgedSequence: 0, storedBytes: 0 },
    transcript: { state: 'TRANSCRIBING', language: 'sw' },
  });
  const [event] = await takeLive(slice, viewer, { id: session!.id }, 1);
  expect(event).toMatchObject({ session: { id: session!.id, state: 'WAITING', cursor: session!.cursor } });
  const { prisma } = slice.platform.database;
  expect(await prisma.liveSession.findUnique({ where: { id: session!.id } })).toMatchObject({
    ...{ ownerId: viewer.userId, encoding: 'PCM_S16LE', sampleRate: 16_000, endpointingMs: 500 },
    ...{ record: true, refine: false },
  });
});

test.each([
  ['no title', { title: ' ' }, 'INVALID_INPUT input title'],
  ['a title that is too long', { title: 'x'.repeat(201) }, 'INVALID_INPUT input title'],
  ['a title with a NUL', { title: 'a\0b' }, 'INVALID_INPUT input title'],
  ['a sample rate nobody has', { sampleRate: 16_001 }, 'INVALID_INPUT input sampleRate'],
  ['an encoding that is none', { encoding: 'toString' }, 'INVALID_INPUT input encoding'],
  ['a pause that is too short', { endpointingMs: 99 }, 'INVALID_INPUT input endpointingMs'],
  ['a pause that is too long', { endpointingMs: 3_001 }, 'INVALID_INPUT input endpointingMs'],
  ['a better pass without a recording', { record: false, refine: true }, 'INVALID_INPUT input refine'],
  ['speakers', { options: { speakers: true } }, 'UNSUPPORTED input options speakers'],
  ['channels', { options: { perChannel: true } }, 'UNSUPPORTED input options perChannel'],
  ['an even loudness', { options: { normalize: true } }, 'UNSUPPORTED input options normalize'],
  ['several languages', { options: { languages: ['en', 'sw'] } }, 'UNSUPPORTED input options languages'],
  ['a language nobody understands', { options: { language: 'fr' } }, 'UNSUPPORTED input options language'],
  ['an engine that there is not', { options: { engine: 'none' } }, 'ENGINE_UNAVAILABLE input options'],
  ['an empty idempotency key', { idempotencyKey: '' }, 'INVALID_INPUT input idempotencyKey'],
])('%s is refused, and nothing is begun', async (_what, input, expected) => {
  await aLastingWorker(slice, 1);
  const transcripts = await slice.platform.database.prisma.transcript.count();
  expect(await codes(startLive(slice, viewer, input))).toEqual([expected]);
  expect(await slice.platform.database.prisma.liveSession.count()).toBe(0);
  expect(await slice.platform.database.prisma.transcript.count()).toBe(transcripts);
});

test('whoever has no credits left begins none', async () => {
  await aLastingWorker(slice, 1);
  const poor = aViewer();
  await leaveCredits(slice.platform, poor.userId, 0);
  expect(await codes(startLive(slice, poor, {}))).toEqual(['INSUFFICIENT_CREDITS']);
  await leaveCredits(slice.platform, poor.userId, 1);
  expect(await codes(startLive(slice, poor, {}))).toEqual([]);
});

test('bounds themselves are taken, and null is the default', async () => {
  await aLastingWorker(slice, 3);
  const nulls = { record: null, refine: null, encoding: null, sampleRate: null, endpointingMs: null, options: null };
  expect(await codes(startLive(slice, viewer, nulls))).toEqual([]);
  expect(
    await codes(startLive(slice, viewer, { endpointingMs: 100, sampleRate: 8_000, encoding: 'container' })),
  ).toEqual([]);
  expect(await codes(startLive(slice, viewer, { endpointingMs: 3_000, title: 'x'.repeat(200) }))).toEqual([]);
});

test('who is not signed in starts nothing', async () => {
  const query = 'mutation { startLiveSession(input: { title: "Talk" }) { errors { code } } }';
  const { errors } = await ask(slice.subgraph, null, query);
  expect(errors?.map(({ extensions }) => extensions?.['code'])).toEqual(['UNAUTHENTICATED']);
});

test('50 calls at once with one key start one session, also when nothing more could be started', async () => {
  await aLastingWorker(slice, 1);
  const calls = Array.from({ length: 50 }, () => startLive(slice, viewer, { idempotencyKey: 'once' }));
  const answers = await Promise.all(calls);
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(answers[0]!.errors).toEqual([]);
  expect(await slice.platform.database.prisma.liveSession.count()).toBe(1);
  script.probe = { available: false, reason: 'Gone.' };
  expect(await startLive(slice, viewer, { idempotencyKey: 'once' })).toEqual(answers[0]);
  expect(await codes(startLive(slice, viewer, { idempotencyKey: 'once', title: 'Other' }))).toEqual([
    'IDEMPOTENCY_MISMATCH input idempotencyKey',
  ]);
});

test('a key of a call that found no place is free', async () => {
  await aLastingWorker(slice, 1);
  const { session } = await startLive(slice, viewer);
  const input = { idempotencyKey: 'later' };
  expect(await codes(startLive(slice, viewer, input))).toEqual(['ENGINE_BUSY']);
  await setStates('ENDED');
  const later = await startLive(slice, viewer, input);
  expect(later.errors).toEqual([]);
  expect(later.session!.id).not.toBe(session!.id);
});

describe('places', () => {
  const insertEnded = async (count: number, lastedMs: number): Promise<void> => {
    const { prisma } = slice.platform.database;
    for (let index = 0; index < count; index++) {
      const { session } = await startLive(slice, aViewer());
      await prisma.$executeRaw`update media.live_session set state = 'ENDED', ended_at = now(),
        started_at = now() - make_interval(secs => ${lastedMs / 1_000}) where id = ${session!.id}`;
    }
  };
  const wait = async (): Promise<number> => (await startLive(slice, aViewer())).errors[0]!.retryAfterMs!;

  test('are those of all workers that were seen just now', async () => {
    await aLiveWorker(slice, 10, 60_000);
    expect((await startLive(slice, viewer)).errors).toMatchObject([
      { code: 'ENGINE_UNAVAILABLE', retryAfterMs: 5_000 },
    ]);
    for (const places of [1, 0, 1]) await aLastingWorker(slice, places);
    for (const _place of [1, 2]) expect(await codes(startLive(slice, viewer))).toEqual([]);
    expect((await startLive(slice, viewer)).errors).toMatchObject([{ code: 'ENGINE_BUSY', retryAfterMs: 30_000 }]);
  });

  test('are none without a worker, whatever the engine can', async () => {
    script.probe = { available: false, reason: 'Install it.' };
    expect((await startLive(slice, viewer)).errors).toMatchObject([
      { code: 'ENGINE_UNAVAILABLE', message: expect.stringContaining('Install it.'), retryAfterMs: null },
    ]);
  });

  test('are free again of a session that is paused or has ended', async () => {
    await aLastingWorker(slice, 1);
    await startLive(slice, viewer);
    for (const state of ['PAUSED', 'ENDED'] as const) {
      await setStates('LIVE');
      expect(await codes(startLive(slice, viewer))).toEqual(['ENGINE_BUSY']);
      await setStates(state);
      expect(await codes(startLive(slice, viewer))).toEqual([]);
      await slice.platform.database.prisma.liveSession.deleteMany({ where: { state: 'WAITING' } });
    }
  });

  test('the last one goes to one of many who ask at the same moment', async () => {
    await aLastingWorker(slice, 3);
    const answers = await Promise.all(Array.from({ length: 12 }, () => codes(startLive(slice, aViewer()))));
    expect(answers.filter(([code]) => code === undefined)).toHaveLength(3);
    expect(answers.filter(([code]) => code === 'ENGINE_BUSY')).toHaveLength(9);
  });

  test('the wait is what sessions lasted lately, less what the oldest one has had', async () => {
    await aLastingWorker(slice, 1);
    await insertEnded(2, 60_000);
    await insertEnded(1, 3_600_000); // one is no measure
    const { session } = await startLive(slice, viewer);
    expect(await wait()).toBeLessThanOrEqual(60_000);
    expect(await wait()).toBeGreaterThan(30_000);
    const start = (agoSeconds: number) => slice.platform.database.prisma.$executeRaw`
      update media.live_session set started_at = now() - make_interval(secs => ${agoSeconds}) where id = ${session!.id}`;
    await start(40);
    expect(await wait()).toBeLessThanOrEqual(20_000);
    await start(60);
    expect(await wait()).toBeLessThan(15_000);
    await start(75); // it has outlasted the others
    expect(await wait()).toBeGreaterThanOrEqual(15_000);
    await start(7_200);
    expect(await wait()).toBe(30_000);
    await slice.platform.database.prisma.$executeRaw`
      update media.live_session set started_at = ended_at - interval '3 hours' where state = 'ENDED'`;
    expect(await wait()).toBe(600_000);
  });

  test('an account holds at most five, and is told which', async () => {
    await aLastingWorker(slice, 7);
    const mine: ShownLive[] = [];
    for (let index = 0; index < 5; index++) mine.push((await startLive(slice, viewer)).session!);
    const { errors } = await startLive(slice, viewer);
    expect(errors).toMatchObject([{ code: 'INVALID_STATE', path: null, retryAfterMs: null }]);
    for (const { id } of mine) expect(errors[0]!.message).toContain(id);
    expect(await codes(startLive(slice, aViewer()))).toEqual([]);
    await new WrittenLive(slice, mine[0]!.id, mine[0]!.transcript.id).become({ state: 'PAUSED' });
    expect(await codes(startLive(slice, viewer))).toEqual([]);
  });
});

describe('reading', () => {
  const list = async (page: string, by = viewer) => {
    interface Read {
      liveSessions: { nodes: { id: string }[]; pageInfo: { endCursor: string | null; hasNextPage: boolean } };
    }
    const query = `{ liveSessions${page} { nodes { id } pageInfo { endCursor hasNextPage } } }`;
    return (await askFor<Read>(slice.subgraph, by, query)).liveSessions;
  };

  test('lists the viewer’s own sessions, newest first, by page and by state', async () => {
    await aLastingWorker(slice, 5);
    const ids: string[] = [];
    for (let index = 0; index < 3; index++) ids.unshift((await startLive(slice, viewer)).session!.id);
    await startLive(slice, aViewer());
    const first = await list('(first: 2)');
    expect(first.nodes.map(({ id }) => id)).toEqual([...ids.sort()].reverse().slice(0, 2));
    expect((await list(`(first: 2, after: "${first.pageInfo.endCursor}")`)).nodes).toHaveLength(1);
    const { prisma } = slice.platform.database;
    await prisma.liveSession.update({ where: { id: ids[0]! }, data: { state: 'PAUSED' } });
    expect((await list('(states: [PAUSED, ENDED])')).nodes).toEqual([{ id: ids[0] }]);
    expect((await list('(states: [])')).nodes).toEqual([]);
    expect((await list('', aViewer())).nodes).toEqual([]);
  });

  test('shows everything of one, with the cursor behind which its changes lie', async () => {
    await aLastingWorker(slice, 1);
    const { session } = await startLive(slice, viewer);
    const written = new WrittenLive(slice, session!.id, session!.transcript.id);
    await written.say(0, 'One');
    await written.become({ state: 'FAILED', errorCode: 'ENGINE_UNAVAILABLE', errorMessage: 'Gone.' });
    const query = `query Read($id: ID!) { liveSession(id: $id) { id state error { code message retryable } owner { id } engine
      transcript { id text } media { id } ingest { token } cursor startedAt endedAt } }`;
    const read = await askFor<{ liveSession: ShownLive }>(slice.subgraph, viewer, query, { id: session!.id });
    expect(read.liveSession).toMatchObject({
      ...{ state: 'FAILED', error: { code: 'ENGINE_UNAVAILABLE', message: 'Gone.', retryable: false } },
      ...{ owner: { id: viewer.userId }, engine: 'scripted', transcript: { text: 'One' }, media: null, ingest: null },
    });
    expect(await takeLive(slice, viewer, { id: session!.id, after: read.liveSession.cursor })).toEqual([]);
  });
});
