import type { Database } from '../database/database';
import type { Notifications } from '../database/notifications';
import type { Logger } from '../logger';
import type { JobQueue } from './queue';

const BATCH = 100;
/** An entry that is not confirmed for this long is taken again: its dispatcher is gone, or the queue did not answer. */
const RETAKE_MS = 3_000;

/** How many jobs of one owner are handed to the queue at a time unless configured otherwise. */
const DEFAULT_MAX_CONCURRENT_JOBS = 4;

export interface DispatcherTimes {
  /** Entries that are due later (retries) and lost notifications are found by looking this often; default 1 s. */
  pollMs: number;
  /** How often it is checked that the queue still knows all jobs that were handed to it; default 30 s. */
  sweepMs: number;
  /** How long ago a job was handed over before that is checked; default 30 s. */
  forgottenMs: number;
}

const DEFAULT_TIMES: DispatcherTimes = { pollMs: 1_000, sweepMs: 30_000, forgottenMs: 30_000 };

interface Due {
  id: string;
  attempt: number;
  priority: number;
  taken_at: Date;
  is_again: boolean;
}

/**
 * Moves jobs from the outbox to the queue, of each owner only `maxConcurrentJobs` at a time: so thousands of one owner
 * never stand before another's. Whenever a job ends, its owner's next follows. Any number of dispatchers may run.
 *
 * Three steps, each of which may be the last before a crash or a freeze. Taking (`platform.take_due_jobs`) marks the
 * entries in one call on the server; afterwards no lock is held. Adding to the queue may be done twice, because the same
 * attempt is one entry there. Confirming deletes the outbox entries, unless they were written anew meanwhile. Entries that
 * were taken and not confirmed are taken again after {@link RETAKE_MS}, by whoever looks.
 */
export class Dispatcher implements AsyncDisposable {
  private running: Promise<void> | undefined;
  private sweeping: Promise<void> | undefined;
  private again = false;
  private closed = false;
  private readonly timers: NodeJS.Timeout[];
  private readonly unlisten: () => void;
  private readonly times: DispatcherTimes;
  private readonly maxConcurrentJobs: number;

  constructor(
    private readonly database: Database,
    notifications: Notifications,
    private readonly queue: JobQueue,
    private readonly logger: Logger,
    options: { maxConcurrentJobs?: number; times?: DispatcherTimes } = {},
  ) {
    this.times = options.times ?? DEFAULT_TIMES;
    this.maxConcurrentJobs = options.maxConcurrentJobs ?? DEFAULT_MAX_CONCURRENT_JOBS;
    this.unlisten = notifications.on('sauti_outbox', () => this.wake());
    const { pollMs, sweepMs } = this.times;
    this.timers = [setInterval(() => this.wake(), pollMs), setInterval(() => this.sweep(), sweepMs)];
    this.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
    this.unlisten();
    this.timers.forEach(clearInterval);
    await Promise.all([this.running, this.sweeping]);
  }

  private wake(): void {
    this.again = true;
    this.running ??= this.run().finally(() => (this.running = undefined));
  }

  private async run(): Promise<void> {
    while (this.again && !this.closed) {
      this.again = false;
      try {
        while ((await this.dispatchBatch()) === BATCH && !this.closed) continue;
      } catch (error) {
        this.logger.warn({ error }, 'jobs cannot be handed to the queue; trying again');
        return;
      }
    }
  }

  private async dispatchBatch(): Promise<number> {
    const due = await this.database.prisma.$queryRaw<Due[]>`
      select * from platform.take_due_jobs(${this.maxConcurrentJobs}::int, ${BATCH}::int, ${RETAKE_MS}::int)`;
    for (const job of due) {
      const entry = { jobId: job.id, attempt: job.attempt + 1, priority: job.priority };
      await this.queue.add(entry);
      if (job.is_again) await this.queue.move(entry);
    }
    if (due.length > 0) await this.confirm(due);
    return due.length;
  }

  /** What was changed since it was taken has to be handed over again. */
  private async confirm(due: readonly Due[]): Promise<void> {
    const ids = due.map(({ id }) => id);
    await this.database.prisma.$executeRaw`
      delete from platform.job_outbox where job_id = any(${ids}) and taken_at = ${due[0]!.taken_at}`;
  }

  private sweep(): void {
    this.sweeping ??= this.findForgotten()
      .catch((error: unknown) => this.logger.warn({ error }, 'the sweep for forgotten jobs failed'))
      .finally(() => (this.sweeping = undefined));
  }

  /** A job that was handed over and that the queue does not know is handed over again: the queue's store was lost. */
  private async findForgotten(): Promise<void> {
    for (let last = ''; !this.closed;) {
      const handed = await this.handedAfter(last);
      for (const job of handed) {
        if (await this.queue.has({ jobId: job.id, attempt: job.attempt + 1 })) continue;
        await this.database.prisma.$executeRaw`
          insert into platform.job_outbox (job_id, owner_id, priority)
          select id, owner_id, priority from platform.job where id = ${job.id} and state = 'QUEUED' on conflict do nothing`;
      }
      if (handed.length < BATCH) return;
      last = handed.at(-1)!.id;
    }
  }

  private handedAfter(id: string): Promise<{ id: string; attempt: number }[]> {
    return this.database.prisma.$queryRaw`
      select j.id, j.attempt from platform.job j left join platform.job_outbox o on o.job_id = j.id
       where j.state = 'QUEUED' and o.job_id is null and j.id > ${id}
         and (j.handed_at is null or j.handed_at < now() - ${this.times.forgottenMs} * interval '1 millisecond')
       order by j.id limit ${BATCH}`;
  }
}
