import type { Viewer } from '../../platform/identity/viewer';
import { finishedJobsTopic } from '../../platform/jobs/job';
import type { Platform } from '../../platform/platform';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { askFor, aViewer } from '../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { waitFor } from '../../platform/testing/wait';
import { runInboxConsumer } from './inbox-consumer';
import { createNotificationSubgraph } from './subgraph';
import { Subscriber } from '../../platform/testing/subscriber';
import { aJob, aWorker } from './testing';

let opened: TestPlatform;
let platform: Platform;
let subgraph: Subgraph;
let worker: ReturnType<typeof aWorker>;
let running: { stop: AbortController; ended: Promise<void> }[] = [];
beforeEach(async () => {
  opened = await openTestPlatform();
  platform = opened.platform;
  subgraph = createNotificationSubgraph(platform);
  worker = aWorker(platform);
});
afterEach(async () => {
  await stopConsumers();
  await opened[Symbol.asyncDispose]();
});

function startConsumer(events: Platform['events'] = platform.events): void {
  const stop = new AbortController();
  running.push({ stop, ended: runInboxConsumer({ ...platform, events }, stop.signal) });
}

async function stopConsumers(): Promise<void> {
  for (const { stop } of running) stop.abort();
  await Promise.all(running.map(({ ended }) => ended));
  running = [];
}

async function ended(viewer: Viewer, failure?: string): Promise<{ id: string; subjectId: string }> {
  const job = await aJob({ platform, by: viewer });
  await worker.start(job);
  await (failure === undefined ? worker.succeed(job) : worker.fail(job, failure));
  return job;
}

interface Shown {
  title: string;
  body: string;
  job: { id: string };
}

async function inboxOf(viewer: Viewer): Promise<Shown[]> {
  const query = '{ inbox(first: 100) { nodes { title body job { ... on MediaJob { id } } } } }';
  return (await askFor<{ inbox: { nodes: Shown[] } }>(subgraph, viewer, query)).inbox.nodes;
}

/** Resolves when every consumer of this database has handled all jobs that have ended. */
async function caughtUp(): Promise<void> {
  await waitFor('the consumer to reach the newest event', async () => {
    const [row] = await platform.database.prisma.$queryRaw<{ seq: bigint }[]>`
      select seq from platform.event_consumer where consumer = 'notification.inbox'`;
    return Number(row?.seq) === (await platform.events.head(finishedJobsTopic));
  });
}

test('tells the owner how a job has ended, and nothing of a job that was canceled', async () => {
  startConsumer();
  const viewer = aViewer();
  const done = await ended(viewer);
  const failed = await ended(viewer, 'The recording holds no speech.');
  const canceled = await aJob({ platform, by: viewer });
  await askFor(subgraph, viewer, `mutation { cancelJob(input: { jobId: "${canceled.id}" }) { job { state } } }`);
  await worker.endCanceled(canceled);
  await caughtUp();
  expect(await inboxOf(viewer)).toEqual([
    { title: 'Transcription failed', body: 'The recording holds no speech.', job: { id: failed.id } },
    {
      title: 'Your transcript is ready',
      body: expect.stringContaining('read and export') as string,
      job: { id: done.id },
    },
  ]);
  expect(await inboxOf(aViewer())).toEqual([]);
});

test('tells a subscriber of the inbox', async () => {
  startConsumer();
  const viewer = aViewer();
  const query = `subscription { inboxEvents { ... on InboxChanged {
    unread notification { topic title subject { __typename id } readAt }
  } } }`;
  const subscriber = new Subscriber(subgraph, viewer, query);
  const told = subscriber.take(1);
  const job = await ended(viewer);
  expect(await told).toEqual([
    {
      unread: 1,
      notification: {
        topic: 'transcript.ready',
        title: 'Your transcript is ready',
        subject: { __typename: 'Media', id: job.subjectId },
        readAt: null,
      },
    },
  ]);
  await subscriber.leave();
});

test('writes what it missed while no consumer ran', async () => {
  const viewer = aViewer();
  const jobs = [await ended(viewer), await ended(viewer), await ended(viewer)];
  startConsumer();
  await caughtUp();
  expect((await inboxOf(viewer)).map(({ job }) => job.id)).toEqual(jobs.map(({ id }) => id).reverse());
});

test('writes each notification once when the consumer dies in the middle of one', async () => {
  const viewer = aViewer();
  await ended(viewer);
  let failures = 0;
  const dyingOnce: Platform['events'] = Object.assign(Object.create(platform.events) as Platform['events'], {
    append: async (...parameters: Parameters<Platform['events']['append']>) => {
      const seq = await platform.events.append(...parameters);
      if (failures++ === 0) throw new Error('The process died before the commit.');
      return seq;
    },
  });
  startConsumer(dyingOnce);
  await waitFor('the first attempt to fail', () => failures === 1);
  expect(await inboxOf(viewer)).toEqual([]);
  await caughtUp();
  expect(await inboxOf(viewer)).toHaveLength(1);
  expect(failures).toBe(2);
});

test('writes each notification once when several consumers run, and when the log is read again', async () => {
  const viewer = aViewer();
  for (let count = 0; count < 3; count++) startConsumer();
  const jobs = [];
  for (let count = 0; count < 10; count++) jobs.push(await ended(viewer));
  await caughtUp();
  await stopConsumers();

  await platform.database.prisma.$executeRaw`update platform.event_consumer set seq = 0`;
  startConsumer();
  await caughtUp();
  expect((await inboxOf(viewer)).map(({ job }) => job.id)).toEqual(jobs.map(({ id }) => id).reverse());
  const [told] = await platform.database.prisma.$queryRaw<{ count: bigint }[]>`
    select count(*) from platform.event where topic = ${`inbox:${viewer.userId}`}`;
  expect(Number(told?.count)).toBe(10);
});
