import { setMaxListeners } from 'node:events';
import { waitFor } from '../../platform/testing/wait';
import { judgeAll } from './committed';
import { gatherCrowd, type Crowd } from './crowd';
import type { ChaosOptions } from './options';
import { RESUMES } from './followed';
import { startStack, type Stack } from './stack';
import { addSegment, finishTranscripts } from './transcript-writer';
import { TRANSPORT_NAMES, TRANSPORTS } from './transports/transports';

const OPTIONS: ChaosOptions = {
  readers: 40,
  events: 0,
  kills: 0,
  jobs: 0,
  gateways: 2,
  subgraphs: ['users', 'media'],
  transports: TRANSPORT_NAMES,
  resumes: RESUMES,
  seed: 1,
  tell: () => undefined,
};
const FLAWLESS = { lost: 0, repeated: 0, disordered: 0, unknown: 0, wrongEvents: 0, gaps: 0, silentEnds: 0 };
/** `promises.md` X17. */
const RELEASE_LIMIT_MS = 30_000;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ ...OPTIONS, worker: false });
}, 120_000);
afterAll(() => stack?.[Symbol.asyncDispose](), 60_000);

/** Readers of transcripts that this test writes. */
class Story {
  private leaving = new AbortController();
  private reading: Promise<void>[] = [];
  private written = 0;

  constructor(readonly crowd: Crowd) {}

  get readers() {
    return this.crowd.ofTranscripts;
  }

  read(): void {
    this.leaving = new AbortController();
    setMaxListeners(0, this.leaving.signal);
    this.reading = this.readers.map((reader) => reader.follow(this.leaving.signal));
  }

  async leave(): Promise<void> {
    this.leaving.abort();
    await Promise.all(this.reading);
  }

  async write(): Promise<void> {
    await addSegment(stack.store, this.transcriptIds, this.written++);
  }

  allHaveAll(): Promise<void> {
    return this.crowd.caughtUp(this.written);
  }

  /** Ends the transcripts, waits until everybody has read to the end, and judges what they got. */
  async verdict(): Promise<object> {
    await finishTranscripts(stack.store, this.transcriptIds);
    await this.crowd.caughtUp(this.written + 1);
    await Promise.all(this.reading);
    const { verdict, wrongEvents } = await judgeAll(stack.store, this.readers);
    const total = (name: 'gaps' | 'silentEnds'): number =>
      this.readers.reduce((count, reader) => count + reader[name], 0);
    return { ...verdict, wrongEvents, gaps: total('gaps'), silentEnds: total('silentEnds') };
  }

  private get transcriptIds(): string[] {
    return this.crowd.owners.map(({ transcriptId }) => transcriptId);
  }
}

/** Everybody begins at the first gateway, and comes back at the second one. */
async function aStory(): Promise<Story> {
  return new Story(await gatherCrowd(stack, null, OPTIONS, () => stack.endpoints));
}

/** How long ago the media subgraph asked for news of the topics that somebody follows; null: not in anybody's memory. */
async function lastPollMs(): Promise<number | null> {
  const [row] = await stack.store.query<{ ms: string | null }>(
    `select extract(epoch from clock_timestamp() - max(query_start)) * 1000 as ms from pg_stat_activity
      where application_name = 'sauti:media' and query like '%event_topic where topic = any%'`,
  );
  return row!.ms === null ? null : Number(row!.ms);
}

test('a gateway that is killed with open subscriptions: the subgraph lets go of them, and their clients resume elsewhere', async () => {
  const story = await aStory();
  story.read();
  await story.write();
  await story.allHaveAll();
  // It polls every 2 s while, and only while, somebody follows a topic.
  await waitFor('the subgraph to poll', async () => ((await lastPollMs()) ?? Infinity) < 2_000);
  const first = stack.service('gateway-1');
  first.signal('SIGSTOP'); // it shall not learn that its clients leave
  await story.leave();
  await first.kill();
  await waitFor('the polls to end', async () => ((await lastPollMs()) ?? Infinity) > 6_000, RELEASE_LIMIT_MS + 6_000);

  await story.write();
  story.read();
  await story.allHaveAll();
  expect(await story.verdict()).toEqual(FLAWLESS);
}, 120_000);

test('a gateway that is told to stop closes with 1001 and exits with 0; its clients resume at the other one', async () => {
  await stack.service('gateway-1').ready();
  const story = await aStory();
  story.read();
  await story.write();
  await story.allHaveAll();
  const ending = stack.service('gateway-1').end('SIGTERM');
  await story.write();
  await story.write();
  expect(await ending).toEqual({ code: 0, signal: null });
  expect(await story.verdict()).toEqual(FLAWLESS);
  const overSockets = story.readers.filter(({ options }) => options.transport === TRANSPORTS.websocket);
  for (const { troubles } of overSockets) expect(troubles.get('closed with 1001')).toBe(1);
}, 120_000);

test('events arrive, once and in order, while the LISTEN connections are cut again and again', async () => {
  await stack.service('gateway-1').ready();
  const story = await aStory();
  story.read();
  let cuts = 0;
  for (let round = 0; round < 10; round++) {
    const cut = await stack.store.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sauti:listen'`,
    );
    cuts += cut.length;
    await story.write();
    await story.allHaveAll();
  }
  expect(cuts).toBeGreaterThan(1);
  expect(await story.verdict()).toEqual(FLAWLESS);
  for (const { connections } of story.readers) expect(connections).toBe(1);
}, 120_000);

test('a gateway that stands still for 3 s keeps its sockets', async () => {
  await stack.service('gateway-1').ready();
  const story = await aStory();
  story.read();
  await story.write();
  await story.allHaveAll();
  const gateway = stack.service('gateway-1');
  const stoppedAt = performance.now();
  gateway.signal('SIGSTOP');
  await story.write();
  await waitFor('the fault to have lasted', () => performance.now() - stoppedAt >= 3_000);
  gateway.signal('SIGCONT');
  await story.write();
  await story.allHaveAll();
  expect(await story.verdict()).toEqual(FLAWLESS);
  for (const { connections } of story.readers) expect(connections).toBe(1);
}, 120_000);
