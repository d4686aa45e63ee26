import { createPostgresBackend, Queue, Worker, type Processor, type WorkerOptions } from 'bullmq';
import type { Logger } from '../logger';

/** What decides who runs which job when. It carries ids only: the job row decides what is true. */
export interface JobQueue extends AsyncDisposable {
  /** Hands over one attempt of a job. The same attempt twice is one entry. Higher priority runs first. */
  add(entry: { jobId: string; attempt: number; priority: number }): Promise<void>;
  /** Whether the queue still holds that attempt; false after the queue's store was lost. */
  has(entry: { jobId: string; attempt: number }): Promise<boolean>;
  /** Takes entries and calls `run`, at most `concurrency` at a time, until closed. `run` must not throw. */
  work(options: { concurrency: number; run: (jobId: string, attempt: number) => Promise<void> }): void;
  /** Stops taking entries; those under way go on. */
  pause(): Promise<void>;
}

const QUEUE_NAME = 'sauti';
/** BullMQ counts priorities from 1 (first) to 2^21; 0 would mean "before all others". */
const MIDDLE_PRIORITY = 1_000;

/** BullMQ on PostgreSQL, or on Redis when `redisUrl` is given: the same calls, so the choice stays in this function. */
export function createJobQueue(options: {
  databaseUrl: string;
  redisUrl: string | undefined;
  logger: Logger;
}): JobQueue {
  const { logger } = options;
  const store = options.redisUrl ? redisStore(options.redisUrl) : postgresStore(options.databaseUrl);
  const queue = store.openQueue();
  // Both emit 'error' when their store is away; they reconnect by themselves, and the sweep makes good what was missed.
  queue.on('error', (error) => logger.warn({ error }, 'the job queue cannot be reached'));
  let worker: Worker | undefined;

  return {
    async add({ jobId, attempt, priority }) {
      await queue.add(
        'job',
        { jobId, attempt },
        {
          jobId: entryId(jobId, attempt),
          priority: MIDDLE_PRIORITY - priority,
          removeOnComplete: true,
          removeOnFail: true,
        },
      );
    },
    async has({ jobId, attempt }) {
      return (await queue.getJob(entryId(jobId, attempt))) !== undefined;
    },
    work({ concurrency, run }) {
      // An entry whose worker died is delivered again after the lock has run out; the row's own lease decides who may
      // run it, so the count of stalls must not end it (BullMQ fails a job at its second stall by default).
      const settings = { concurrency, lockDuration: 15_000, stalledInterval: 5_000, maxStalledCount: 100 };
      worker = store.openWorker(async ({ data }) => run(data.jobId, data.attempt), settings);
      worker.on('error', (error) => logger.warn({ error }, 'the job queue cannot be reached'));
    },
    async pause() {
      await worker?.pause(true);
    },
    async [Symbol.asyncDispose]() {
      await worker?.close();
      await queue.close();
    },
  };
}

function entryId(jobId: string, attempt: number): string {
  return `${jobId}.${attempt}`;
}

type Settings = Omit<WorkerOptions, 'connection'>;
type Entry = Processor<{ jobId: string; attempt: number }, void>;
interface Store {
  openQueue(): Queue;
  openWorker(processor: Entry, settings: Settings): Worker;
}

function postgresStore(connectionString: string): Store {
  const connection = { connectionString, max: 4, application_name: 'sauti:queue' };
  return {
    // The generic parameters name the backend only; every method Sauti calls is the same.
    openQueue: () => new Queue(QUEUE_NAME, { connection }, createPostgresBackend) as unknown as Queue,
    openWorker: (processor, settings) =>
      new Worker(
        QUEUE_NAME,
        processor as Processor,
        { connection, ...settings },
        createPostgresBackend,
      ) as unknown as Worker,
  };
}

function redisStore(url: string): Store {
  const connection = { url, maxRetriesPerRequest: null };
  return {
    openQueue: () => new Queue(QUEUE_NAME, { connection }),
    openWorker: (processor, settings) => new Worker(QUEUE_NAME, processor as Processor, { connection, ...settings }),
  };
}
