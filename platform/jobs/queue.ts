import { createPostgresBackend, Queue, Worker, type Processor, type WorkerOptions } from 'bullmq';
import { Pool } from 'pg';
import { IDLE_IN_TRANSACTION_MS } from '../database/database';
import type { Logger } from '../logger';

/** An attempt of a job as the queue holds it. */
export interface QueueEntry {
  jobId: string;
  attempt: number;
  /** Of the job. Below zero: behind all others; what is above zero makes no difference here, see {@link JobQueue}. */
  priority: number;
}

/**
 * What decides whose turn it is. It carries ids only: the job rows decide what is true, and what runs. Entries come out
 * in the order in which they were added, whosever they are, those of jobs that were begun before the others and those of
 * low priority behind them; that a job is more urgent than others of its owner is seen to when one of them is claimed, so
 * nobody's jobs are overtaken by it.
 */
export interface JobQueue extends AsyncDisposable {
  /**
   * Hands over one attempt of a job. The same attempt twice is one entry. Rejects when the queue's store does not answer;
   * the entry may then have been taken or not.
   */
  add(entry: QueueEntry): Promise<void>;
  /** Gives an entry that it still holds the place of its priority; one that it does not hold any more is left alone. */
  move(entry: QueueEntry): Promise<void>;
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
const FIRST_PLACE = 1;
const USUAL_PLACE = 2;
const LAST_PLACE = 3;

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
      const place = { jobId: entryId(jobId, attempt), priority: placeOf({ priority, attempt }) };
      await answer(queue.add('job', { jobId, attempt }, { ...place, removeOnComplete: true, removeOnFail: true }));
    },
    async move({ jobId, attempt, priority }) {
      const entry = await answer(queue.getJob(entryId(jobId, attempt)));
      if (!entry || entry.priority === placeOf({ priority, attempt })) return;
      const moved = entry.changePriority({ priority: placeOf({ priority, attempt }) });
      await answer(
        moved.catch((error: unknown) => {
          if (!isGone(error)) throw error; // taken since we looked
        }),
      );
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

/** What was at work already, and lost its worker, does not stand in line again behind all that came since. */
function placeOf({ priority, attempt }: Omit<QueueEntry, 'jobId'>): number {
  if (priority < 0) return LAST_PLACE;
  return attempt > 1 ? FIRST_PLACE : USUAL_PLACE;
}

/** BullMQ's code for an entry that it does not have (`ErrorCode.JobNotExist`). */
function isGone(error: unknown): boolean {
  return (error as { code?: unknown }).code === -1;
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
    const pool = new Pool({
      connectionString,
      max: 5, // one of a worker's connections is kept for LISTEN
      keepAlive: true,
      application_name: 'sauti:queue',
      // The queue's own steps wait for no disk. A crash of the server takes the last of them together with all that was
      // committed behind them, the outbox's confirmations included; so what is lost is handed over again.
      options: '-c search_path=bullmq -c synchronous_commit=off',
      // As in the pool of our own queries: a frozen process must not keep its locks.
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    });
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
