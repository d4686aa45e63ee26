import { createPostgresBackend, Queue, Worker, type Processor, type WorkerOptions } from 'bullmq';
import { Pool } from 'pg';
import type { Logger } from '../logger';

/** What decides who runs which job when. It carries ids only: the job row decides what is true. */
export interface JobQueue extends AsyncDisposable {
  /**
   * Hands over one attempt of a job. The same attempt twice is one entry. Higher priority runs first; of equal ones that
   * which was begun before. Rejects when the queue's store does not answer; the entry may then have been taken or not.
   */
  add(entry: { jobId: string; attempt: number; priority: number }): Promise<void>;
  /** Whether the queue still holds that attempt; false after the queue's store was lost. */
  has(entry: { jobId: string; attempt: number }): Promise<boolean>;
  /** Takes entries and calls `run`, at most `concurrency` at a time, until closed. `run` must not throw. */
  work(options: { concurrency: number; run: (jobId: string, attempt: number) => Promise<void> }): void;
  /** Stops taking entries; those under way go on. */
  pause(): Promise<void>;
}

const QUEUE_NAME = 'sauti';
/** A Redis that is away is waited for without end by its client; whoever asks us is told after this time instead. */
const ANSWER_LIMIT_MS = 5_000;
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
      // Whoever was at work already and lost their worker must not stand in line again behind all that came since.
      const place = {
        jobId: entryId(jobId, attempt),
        priority: MIDDLE_PRIORITY - 2 * priority - (attempt > 1 ? 1 : 0),
      };
      await answer(queue.add('job', { jobId, attempt }, { ...place, removeOnComplete: true, removeOnFail: true }));
    },
    async has({ jobId, attempt }) {
      return (await answer(queue.getJob(entryId(jobId, attempt)))) !== undefined;
    },
    work({ concurrency, run }) {
      // An entry whose worker died before it claimed the job is delivered again after the lock has run out: no later
      // than the job of a dead worker comes back. The row's own lease decides who may run it, so a lock that is lost to
      // a busy worker does no harm, and the count of stalls must not end it (BullMQ fails a job at its second stall).
      const settings = { concurrency, lockDuration: 5_000, stalledInterval: 2_000, maxStalledCount: 1_000 };
      worker = store.openWorker(async ({ data }) => run(data.jobId, data.attempt), settings);
      worker.on('error', (error) => logger.warn({ error }, 'the job queue cannot be reached'));
    },
    async pause() {
      await worker?.pause(true);
    },
    async [Symbol.asyncDispose]() {
      await worker?.close();
      await queue.close();
      await store.close();
    },
  };
}

async function answer<Value>(call: Promise<Value>): Promise<Value> {
  call.catch(() => undefined); // may fail after nobody waits for it any more
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const error = new Error(`The job queue did not answer within ${ANSWER_LIMIT_MS} ms.`);
    timer = setTimeout(() => reject(error), ANSWER_LIMIT_MS);
  });
  try {
    return await Promise.race([call, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function entryId(jobId: string, attempt: number): string {
  return `${jobId}.${attempt}`;
}

type Settings = Omit<WorkerOptions, 'connection'>;
type Entry = Processor<{ jobId: string; attempt: number }, void>;
interface Store {
  openQueue(): Queue;
  openWorker(processor: Entry, settings: Settings): Worker;
  /** After all that was opened has been closed. */
  close(): Promise<unknown>;
}

function postgresStore(connectionString: string): Store {
  const pools: Pool[] = [];
  const openPool = (): Pool => {
    // Five: one of a worker's connections is kept for LISTEN.
    const application = { application_name: 'sauti:queue', options: '-c search_path=bullmq' };
    const pool = new Pool({ connectionString, max: 5, keepAlive: true, ...application });
    // BullMQ borrows connections without listening for their end; a database that stops would end the process.
    pool.on('connect', (client) => client.on('error', () => undefined));
    pools.push(pool);
    return pool;
  };
  return {
    // The generic parameters name the backend only; every method Sauti calls is the same.
    openQueue: () => new Queue(QUEUE_NAME, { connection: openPool() }, createPostgresBackend) as unknown as Queue,
    openWorker: (processor, settings) =>
      new Worker(
        QUEUE_NAME,
        processor as Processor,
        { connection: openPool(), ...settings },
        createPostgresBackend,
      ) as unknown as Worker,
    close: () => Promise.all(pools.map((pool) => pool.end())),
  };
}

function redisStore(url: string): Store {
  const connection = { url, maxRetriesPerRequest: null };
  return {
    openQueue: () => new Queue(QUEUE_NAME, { connection }),
    openWorker: (processor, settings) => new Worker(QUEUE_NAME, processor as Processor, { connection, ...settings }),
    close: async () => undefined,
  };
}
