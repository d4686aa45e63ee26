import { newId } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import { createJob, finishedJobsTopic, type Job } from '../../platform/jobs/job';
import { requestRetry } from '../../platform/jobs/job-commands';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { askFor, aViewer } from '../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { waitFor } from '../../platform/testing/wait';
import { runInboxConsumer } from './inbox-consumer';
import { createNotificationSubgraph } from './subgraph';
import { aJob, aWorker } from './testing';

let opened: TestPlatform;
let subgraph: Subgraph;
let worker: ReturnType<typeof aWorker>;
const stop = new AbortController();
let consumer: Promise<void>;
beforeAll(async () => {
  opened = await openTestPlatform();
  subgraph = createNotificationSubgraph(opened.platform);
  worker = aWorker(opened.platform);
  consumer = runInboxConsumer(opened.platform, stop.signal);
});
afterAll(async () => {
  stop.abort();
  await consumer;
  await opened[Symbol.asyncDispose]();
});

const KINDS = ['TRANSCRIBE', 'TRANSLATE_TRANSCRIPT', 'EXPORT_TRANSCRIPT'];

/** A transcription, a translation that needs it, and a file that needs both. */
async function aChain(by: Viewer): Promise<Job[]> {
  const { database, events } = opened.platform;
  const [ownerId, subjectId] = [by.userId, newId('med')];
  return database.prisma.$transaction(async (tx) => {
    const jobs: Job[] = [];
    for (const [index, kind] of KINDS.entries()) {
      const definition = { kind, maxAttempts: 3, parse: (payload: unknown) => payload as object };
      const id = newId('job', Date.now() + index);
      const needs = jobs.map((job) => job.id);
      jobs.push(await createJob(tx, events, definition, { id, ownerId, subjectId, payload: {}, needs }));
    }
    return jobs;
  });
}

async function succeed(job: Job, attempt = 1): Promise<void> {
  await worker.start(job, attempt);
  await worker.succeed(job, attempt);
}

async function fail(job: Job, message: string, attempt = 1): Promise<void> {
  await worker.start(job, attempt);
  await worker.fail(job, message, attempt);
}

const retry = ({ id: jobId, ownerId }: Job): Promise<Job | null> =>
  opened.platform.database.prisma.$transaction((tx) => requestRetry(tx, opened.platform.events, { jobId, ownerId }));

async function toldTo(viewer: Viewer): Promise<string[]> {
  await waitFor('the consumer to reach the newest event', async () => {
    const [row] = await opened.platform.database.prisma.$queryRaw<{ seq: bigint }[]>`
      select seq from platform.event_consumer where consumer = 'notification.inbox'`;
    return Number(row?.seq) === (await opened.platform.events.head(finishedJobsTopic));
  });
  const query = '{ inbox(first: 100) { nodes { topic title body } } }';
  const { inbox } = await askFor<{ inbox: { nodes: { topic: string; title: string; body: string }[] } }>(
    subgraph,
    viewer,
    query,
  );
  return inbox.nodes.map(({ topic, title, body }) => `${topic}: ${title}. ${body}`).reverse();
}

test('a chain is told once, when nothing of it is under way any more', async () => {
  const viewer = aViewer();
  const [transcription, translation, file] = await aChain(viewer);
  await succeed(transcription!);
  await succeed(translation!);
  expect(await toldTo(viewer)).toEqual([]);
  await succeed(file!);
  expect(await toldTo(viewer)).toEqual([
    'results.ready: Your results are ready. 1 transcript, 1 translation and 1 file of your recording can be read or downloaded now.',
  ]);
});

test('what one call has asked for is told once, though nothing of it needs the rest', async () => {
  const [viewer, callId] = [aViewer(), newId('job')];
  const about = { platform: opened.platform, by: viewer, callId };
  const jobs = [await aJob(about), await aJob(about), await aJob(about)];
  await aJob({ platform: opened.platform, by: viewer });
  for (const job of jobs.slice(1)) await succeed(job);
  expect(await toldTo(viewer)).toEqual([]);
  await succeed(jobs[0]!);
  expect(await toldTo(viewer)).toEqual([
    'results.ready: Your results are ready. 3 transcripts of your recording can be read or downloaded now.',
  ]);
});

test('a failure is told where it happened, and what had succeeded with it; nothing of those that needed it', async () => {
  const viewer = aViewer();
  const [transcription, translation] = await aChain(viewer);
  await succeed(transcription!);
  await fail(translation!, 'The engine is gone.');
  expect(await toldTo(viewer)).toEqual([
    'translation.failed: Translation failed. The engine is gone.',
    expect.stringContaining('transcript.ready: Your transcript is ready.'),
  ]);
});

test('a chain that fails at its beginning is told once', async () => {
  const viewer = aViewer();
  const [transcription] = await aChain(viewer);
  await fail(transcription!, 'No speech.');
  expect(await toldTo(viewer)).toEqual(['transcript.failed: Transcription failed. No speech.']);
});

test('a retried job that fails again is told again, and what the chain has made only when that is more', async () => {
  const viewer = aViewer();
  const [transcription, translation, file] = await aChain(viewer);
  await succeed(transcription!);
  await fail(translation!, 'The engine is gone.');
  await retry(translation!);
  await fail(translation!, 'It is still gone.', 2);
  expect((await toldTo(viewer)).map((told) => told.split('. ')[0])).toEqual([
    'translation.failed: Translation failed',
    'transcript.ready: Your transcript is ready',
    'translation.failed: Translation failed',
  ]);
  await retry(translation!);
  await succeed(translation!, 3);
  await fail(file!, 'The disk is full.');
  await retry(file!);
  await succeed(file!, 2);
  expect((await toldTo(viewer)).slice(3).map((told) => told.split('. ')[1])).toEqual([
    'The disk is full.',
    '1 transcript and 1 translation of your recording can be read or downloaded now.',
    '1 transcript, 1 translation and 1 file of your recording can be read or downloaded now.',
  ]);
});
