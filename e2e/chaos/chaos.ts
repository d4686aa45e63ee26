import { setMaxListeners } from 'node:events';
import { createRandom, hash, type Random } from '../../gateway/differential/random';
import { waitFor } from '../../platform/testing/wait';
import { committedFor, judgeAll } from './committed';
import { gatherCrowd, type Crowd } from './crowd';
import { JobWriter } from './job-writer';
import { killAtRandom, type Kill } from './killing';
import type { ChaosOptions } from './options';
import { reportOf, type ChaosReport } from './report';
import { startStack, type Stack } from './stack';
import type { Store } from './store';
import { Writing } from './writing';

/** How long readers may take to come to the end once all is quiet; a lost job comes back after its lease. */
const END_LIMIT_MS = 180_000;

/**
 * Kills processes of a running system by chance while readers follow topics that grow, and compares what each reader got
 * with what was committed. Does not reject for what it is there to find: the report tells.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const startedAt = performance.now();
  await using stack = await startStack({ ...options, worker: options.jobs > 0 });
  await using jobs = options.jobs > 0 ? new JobWriter(stack.database.url) : null;
  await jobs?.prepare();
  const crowd = await gatherCrowd(stack, jobs, options);
  options.tell(`seed ${options.seed}: ${crowd.all.length} readers of ${crowd.owners.length} accounts; all is up`);
  const leave = new AbortController();
  setMaxListeners(0, leave.signal); // every reader listens
  const reading = crowd.all.map((reader) => reader.follow(leave.signal));
  const kills: Kill[] = [];
  let failure: string | null = null;
  try {
    await letThemWork(stack, crowd, jobs, kills, options);
    await Promise.all(reading.slice(0, crowd.ofTranscripts.length).map(withLimit));
    await endOfJobs(stack.store, crowd);
  } catch (error) {
    failure = (error as Error).message;
  }
  leave.abort();
  await Promise.all(reading);
  const judgement = await judgeAll(stack.store, crowd.all);
  const unexpectedEndings = stack.services.flatMap((service) => service.unexpectedEndings);
  return reportOf({ options, crowd, kills, judgement, failure, unexpectedEndings, startedAt });
}

/** Writes everything, with all kills in between. */
async function letThemWork(
  stack: Stack,
  crowd: Crowd,
  jobs: JobWriter | null,
  kills: Kill[],
  options: ChaosOptions,
): Promise<void> {
  const segments = options.events - 1; // and the end of the transcript
  const writing = new Writing(
    stack.store,
    crowd.owners.map(({ transcriptId }) => transcriptId),
  );
  const failed = new AbortController();
  setMaxListeners(0, failed.signal);
  const random = (purpose: string): Random => createRandom(hash(`${options.seed} ${purpose}`));
  const killing = killAtRandom(
    {
      ...options,
      targets: [...stack.services, stack.database],
      events: segments,
      writing,
      crowd,
      random: random('kills'),
    },
    kills,
    failed.signal,
  );
  const works = [
    killing,
    writing.run(segments, failed.signal),
    ...(jobs ? [queueJobs(jobs, crowd, writing, options, random('jobs'), failed.signal)] : []),
  ];
  const endAll = (error: unknown): never => {
    failed.abort(error);
    throw error;
  };
  const outcomes = await Promise.allSettled(works.map((work) => work.catch(endAll)));
  const broken = outcomes.find((outcome) => outcome.status === 'rejected');
  if (broken) throw failed.signal.reason;
}

/** Queues jobs while the segments are written, evenly spread. */
async function queueJobs(
  jobs: JobWriter,
  { owners }: Crowd,
  writing: Writing,
  options: ChaosOptions,
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  for (let number = 0; number < options.jobs; number++) {
    await writing.reached(Math.floor((options.events * number) / (options.jobs + 1)), signal);
    if (signal.aborted) return;
    const { account, mediaId } = random.pick(owners);
    await jobs.add(account.id, mediaId);
  }
}

async function withLimit(reading: Promise<void>): Promise<void> {
  let isOver = false;
  void reading.then(() => (isOver = true));
  await waitFor('every transcript to be read to its end', () => isOver, END_LIMIT_MS);
}

/** Resolves when every job has ended and every reader of jobs has the last event. */
async function endOfJobs(store: Store, crowd: Crowd): Promise<void> {
  if (crowd.ofJobs.length === 0) return;
  const isDone = async (): Promise<boolean> => {
    const open = await store.query(
      `select 1 from platform.job where state in ('QUEUED', 'RUNNING', 'CANCELING') limit 1`,
    );
    return open.length === 0;
  };
  await waitFor('every job to end', isDone, END_LIMIT_MS);
  const lasts = await Promise.all(crowd.ofJobs.map(async (reader) => (await committedFor(store, reader)).at(-1)));
  const haveAll = (): boolean => crowd.ofJobs.every(({ cursors }, index) => cursors.at(-1) === lasts[index]);
  await waitFor('the readers of jobs to have their last event', haveAll, END_LIMIT_MS);
}
