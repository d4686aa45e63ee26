import type { Viewer } from '../../platform/identity/viewer';
import { newId } from '../../platform/ids';
import type { Job } from '../../platform/jobs/job';
import type { Platform } from '../../platform/platform';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { aViewer, askFor } from '../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { waitFor } from '../../platform/testing/wait';
import { createNotificationSubgraph } from './subgraph';
import { Subscriber } from '../../platform/testing/subscriber';
import { aJob, aWorker } from './testing';

interface JobEvent {
  __typename: 'JobSummary' | 'StreamGap';
  cursor: string;
  at: string;
  jobId: string;
  state: string;
  progress: number;
  isSnapshot: boolean;
  missed: number | null;
}

const FOLLOW = `subscription ($jobIds: [ID!], $after: String) {
  jobEvents(jobIds: $jobIds, after: $after) {
    __typename
    ... on StreamEvent { cursor at }
    ... on JobSummary { jobId state progress isSnapshot }
    ... on StreamGap { reason missed }
  }
}`;
const EIGHT_DAYS_AGO = `8 days`;
const SEVEN_DAYS_MS = 7 * 24 * 3_600_000;

let opened: TestPlatform;
let platform: Platform;
let subgraph: Subgraph;
let worker: ReturnType<typeof aWorker>;
beforeAll(async () => {
  opened = await openTestPlatform();
  platform = opened.platform;
  subgraph = createNotificationSubgraph(platform);
  worker = aWorker(platform);
});
afterAll(() => opened[Symbol.asyncDispose]());

function follow(viewer: Viewer | null, variables: { jobIds?: string[]; after?: string } = {}): Subscriber<JobEvent> {
  return new Subscriber(subgraph, viewer, FOLLOW, variables);
}

/** Cursors are opaque to clients; here they tell which events of the log arrived. */
function seqOf(event: { cursor: string }): number {
  return Number.parseInt(Buffer.from(event.cursor, 'base64url').toString('latin1'), 10);
}

function statesOf(events: JobEvent[]): string[] {
  return events.map((event) => `${event.state} ${event.progress}`);
}

async function finishedJob(viewer: Viewer): Promise<Job> {
  const job = await aJob({ platform, by: viewer });
  await worker.start(job);
  await worker.succeed(job);
  return job;
}

async function pruneUpTo(viewer: Viewer, seq: number): Promise<void> {
  await platform.database.prisma.$executeRaw`
    update platform.event set at = now() - ${EIGHT_DAYS_AGO}::interval where topic = ${`jobs:${viewer.userId}`} and seq <= ${seq}`;
  await platform.events.prune(SEVEN_DAYS_MS);
}

test('starts with the unfinished jobs as they are and goes on with every change', async () => {
  const viewer = aViewer();
  await finishedJob(viewer);
  const job = await aJob({ platform, by: viewer });
  await worker.start(job);
  await worker.progress(job, 0.25);

  const subscriber = follow(viewer);
  const [present] = await subscriber.take(1);
  expect(present).toMatchObject({ jobId: job.id, state: 'RUNNING', progress: 0.25, isSnapshot: true });
  await worker.progress(job, 0.5);
  await worker.succeed(job);
  const later = await subscriber.take(2);
  expect(statesOf(later)).toEqual(['RUNNING 0.5', 'SUCCEEDED 1']);
  expect(later.map(({ isSnapshot }) => isSnapshot)).toEqual([false, false]);
  expect(later.map(seqOf)).toEqual([seqOf(present!) + 1, seqOf(present!) + 2]);
  await subscriber.leave();
});

test('neither misses, repeats nor reorders a change while jobs are written to from many sides', async () => {
  const viewer = aViewer();
  const jobs = await Promise.all([1, 2, 3, 4].map(() => aJob({ platform, by: viewer })));
  await Promise.all(jobs.map((job) => worker.start(job)));
  const writers = jobs.map(async (job) => {
    for (let step = 1; step <= 30; step++) await worker.progress(job, step / 31);
    await worker.succeed(job);
  });
  // Each opens at another moment of the writing.
  const streams: Promise<JobEvent[]>[] = [];
  for (let opening = 0; opening < 8; opening++) {
    streams.push(follow(viewer, { jobIds: jobs.map((job) => job.id) }).all());
    await platform.database.ping();
  }
  await Promise.all(writers);

  const last = 4 + 4 + 4 * 31;
  for (const events of await Promise.all(streams)) {
    const [present, later] = [events.slice(0, 4), events.slice(4)];
    const head = seqOf(present[0]!);
    expect(present.map(seqOf)).toEqual([head, head, head, head]);
    expect(later.map(seqOf)).toEqual(Array.from({ length: last - head }, (_, index) => head + 1 + index));
    for (const job of jobs) {
      const progress = events.filter((event) => event.jobId === job.id).map((event) => event.progress);
      expect(progress).toEqual([...new Set(progress)].sort((left, right) => left - right));
      expect(progress.at(-1)).toBe(1);
    }
  }
});

test('goes on behind the cursor of any event, in a new stream', async () => {
  const viewer = aViewer();
  const job = await aJob({ platform, by: viewer });
  await worker.start(job);
  const first = follow(viewer);
  await first.take(1);
  await worker.progress(job, 0.25);
  await worker.progress(job, 0.5);
  const [seen] = await first.take(1);
  await first.leave();
  await worker.succeed(job);

  const second = follow(viewer, { after: seen!.cursor });
  const events = await second.take(2);
  expect(statesOf(events)).toEqual(['RUNNING 0.5', 'SUCCEEDED 1']);
  expect(events.map(seqOf)).toEqual([seqOf(seen!) + 1, seqOf(seen!) + 2]);
  await second.leave();
});

test('no two items of the present state share a cursor, and from all but the last it is told anew', async () => {
  const viewer = aViewer();
  const jobs = [1, 2, 3].map(() => aJob({ platform, by: viewer }));
  const ids = (await Promise.all(jobs)).map((job) => job.id).sort();
  const first = follow(viewer);
  const cursors = (await first.take(3)).map(({ cursor }) => cursor);
  await first.leave();
  expect(new Set(cursors).size).toBe(3);
  await worker.start(await jobs[0]!);

  for (const after of cursors.slice(0, 2)) {
    const again = follow(viewer, { after });
    const events = await again.take(3);
    expect(events.map(({ jobId }) => jobId)).toEqual(ids);
    expect(events.map(({ isSnapshot }) => isSnapshot)).toEqual([true, true, true]);
    expect(statesOf(events)).toContain('RUNNING 0');
    await again.leave();
  }
  const behind = follow(viewer, { after: cursors[2]! });
  expect(await behind.take(1)).toMatchObject([{ state: 'RUNNING', isSnapshot: false }]);
  await behind.leave();
});

test('ends with NOT_FOUND when a named job is not the viewer’s any more, though nothing happens', async () => {
  const viewer = aViewer();
  const job = await aJob({ platform, by: viewer });
  const stream = follow(viewer, { jobIds: [job.id] });
  await stream.take(1);
  await platform.database.prisma.job.update({ where: { id: job.id }, data: { ownerId: aViewer().userId } });
  expect(await stream.refusal()).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }], ended: true });
});

test('goes on behind the cursor that the list of jobs was read with', async () => {
  const viewer = aViewer();
  const job = await aJob({ platform, by: viewer });
  const { jobs } = await askFor<{ jobs: { nodes: { cursor: string }[] } }>(
    subgraph,
    viewer,
    '{ jobs { nodes { cursor } } }',
  );
  await worker.start(job);
  const subscriber = follow(viewer, { after: jobs.nodes[0]!.cursor });
  expect(await subscriber.take(1)).toMatchObject([{ state: 'RUNNING', progress: 0 }]);
  await subscriber.leave();
});

test('tells of the named jobs only, and completes when the last of them has ended', async () => {
  const viewer = aViewer();
  const [named, other, ended] = [
    await aJob({ platform, by: viewer }),
    await aJob({ platform, by: viewer }),
    await finishedJob(viewer),
  ];
  const stream = follow(viewer, { jobIds: [named.id, ended.id, named.id] });
  const present = await stream.take(2);
  expect(present.map((event) => [event.jobId, event.state])).toEqual([
    [named.id, 'QUEUED'],
    [ended.id, 'SUCCEEDED'],
  ]);
  await worker.start(other);
  await worker.start(named);
  await worker.fail(named, 'Nobody speaks.');
  const rest = await stream.all();
  expect(rest.map((event) => [event.jobId, event.state])).toEqual([
    [named.id, 'RUNNING'],
    [named.id, 'FAILED'],
  ]);
});

test('completes at once when the named job ended before the cursor, and replays its end when that lies behind', async () => {
  const viewer = aViewer();
  const job = await aJob({ platform, by: viewer });
  const start = await present(viewer);
  await aJob({ platform, by: viewer });
  await worker.start(job);
  await worker.succeed(job);

  const replay = await follow(viewer, { jobIds: [job.id], after: start.cursor }).all();
  expect(statesOf(replay)).toEqual(['RUNNING 0', 'SUCCEEDED 1']);
  expect(await follow(viewer, { jobIds: [job.id], after: replay[1]!.cursor }).all()).toEqual([]);
  expect(statesOf(await follow(viewer, { jobIds: [job.id] }).all())).toEqual(['SUCCEEDED 1']);
});

test('refuses an ID that is unknown, malformed or of somebody else, all in the same way', async () => {
  const viewer = aViewer();
  const own = await aJob({ platform, by: viewer });
  const foreign = await aJob({ platform, by: aViewer() });
  for (const id of [foreign.id, newId('job'), 'job_\u0000']) {
    for (const after of [{}, { after: (await present(viewer)).cursor }]) {
      expect(await follow(viewer, { jobIds: [own.id, id], ...after }).refusal()).toMatchObject({
        errors: [{ message: `You have no job with the ID "${id}".`, extensions: { code: 'NOT_FOUND' } }],
        ended: true,
      });
    }
  }
});

test('never tells of jobs of somebody else', async () => {
  const [viewer, stranger] = [aViewer(), aViewer()];
  const stream = follow(viewer);
  await aJob({ platform, by: stranger });
  const own = await aJob({ platform, by: viewer });
  expect((await stream.take(1))[0]!.jobId).toBe(own.id);
  await stream.leave();
});

test('refuses anonymous callers, cursors of other streams, and more than 100 IDs', async () => {
  const viewer = aViewer();
  const stranger = aViewer();
  await aJob({ platform, by: stranger });
  const { cursor } = await present(stranger);
  const codes = async (subscriber: Subscriber<JobEvent>) => (await subscriber.refusal()).errors;
  expect(await codes(follow(null))).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  expect(await codes(follow(viewer, { after: cursor }))).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  expect(await codes(follow(viewer, { after: 'rubbish' }))).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  const many = Array.from({ length: 101 }, () => newId('job'));
  expect(await codes(follow(viewer, { jobIds: many }))).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
});

test('tells of the gap when the next event has been deleted, and begins anew with the present state', async () => {
  const viewer = aViewer();
  const job = await aJob({ platform, by: viewer });
  const { cursor } = await present(viewer);
  await worker.start(job);
  await worker.progress(job, 0.25);
  await worker.progress(job, 0.5);
  await pruneUpTo(viewer, 3);

  const stream = follow(viewer, { after: cursor });
  const [gap, now] = await stream.take(2);
  expect(gap).toMatchObject({ __typename: 'StreamGap', reason: 'CURSOR_EXPIRED', missed: 3 });
  expect(now).toMatchObject({ jobId: job.id, progress: 0.5, isSnapshot: true });
  // Whoever has got the notice only goes on with the present state; whoever has that, with what follows it.
  const behindTheGap = follow(viewer, { after: gap!.cursor });
  expect(await behindTheGap.take(1)).toMatchObject([{ progress: 0.5, isSnapshot: true, cursor: now!.cursor }]);
  await behindTheGap.leave();
  await worker.progress(job, 0.75);
  expect(statesOf(await stream.take(1))).toEqual(['RUNNING 0.75']);
  await stream.leave();
});

test('completes behind a gap in which the named job ended, after telling how', async () => {
  const viewer = aViewer();
  const job = await aJob({ platform, by: viewer });
  const { cursor } = await present(viewer);
  await worker.start(job);
  await worker.succeed(job);
  await pruneUpTo(viewer, 3);
  const events = await follow(viewer, { jobIds: [job.id], after: cursor }).all();
  expect(events).toMatchObject([{ __typename: 'StreamGap', missed: 2 }, { state: 'SUCCEEDED' }]);
});

test('takes a cursor from the future, as after a restored backup, for a gap of unknown size', async () => {
  const viewer = aViewer();
  const job = await aJob({ platform, by: viewer });
  const { cursor } = await present(viewer);
  const future = Buffer.from(Buffer.from(cursor, 'base64url').toString().replace(/^\d+/, '99')).toString('base64url');
  const stream = follow(viewer, { after: future });
  expect(await stream.take(2)).toMatchObject([
    { __typename: 'StreamGap', missed: null },
    { jobId: job.id, state: 'QUEUED', cursor },
  ]);
  await worker.start(job);
  expect(await stream.take(1)).toMatchObject([{ state: 'RUNNING' }]);
  await stream.leave();
});

test('gives every one of 50 subscribers every event', async () => {
  const viewer = aViewer();
  const job = await aJob({ platform, by: viewer });
  const streams = Array.from({ length: 50 }, () => follow(viewer, { jobIds: [job.id] }));
  await Promise.all(streams.map((stream) => stream.take(1)));
  await worker.start(job);
  for (let step = 1; step <= 10; step++) await worker.progress(job, step / 11);
  await worker.succeed(job);
  const expected = Array.from({ length: 12 }, (_, index) => index + 2);
  for (const events of await Promise.all(streams.map((stream) => stream.all())))
    expect(events.map(seqOf)).toEqual(expected);
});

test('frees its place in the event log when the subscriber leaves or the stream completes', async () => {
  // Nothing public tells who waits for a topic.
  const watched = (viewer: Viewer): number => platform.events['watches'].get(`jobs:${viewer.userId}`)?.size ?? 0;
  const viewer = aViewer();
  const job = await aJob({ platform, by: viewer });
  const [leaving, completing] = [follow(viewer), follow(viewer, { jobIds: [job.id] })];
  await Promise.all([leaving.take(1), completing.take(1)]);
  const waiting = [leaving.take(1), completing.take(1)];
  await waitFor('both to wait', () => watched(viewer) === 2);
  await worker.start(job);
  await Promise.all(waiting);
  const idle = leaving.take(1).catch(() => 'left');
  await leaving.leave();
  expect(await idle).toBe('left');
  expect(watched(viewer)).toBe(1);
  await worker.succeed(job);
  await completing.all();
  expect(watched(viewer)).toBe(0);
});

async function present(viewer: Viewer): Promise<JobEvent> {
  const stream = follow(viewer);
  const [event] = await stream.take(1);
  await stream.leave();
  return event!;
}
