import type { Database } from '../database/database';
import type { Notifications } from '../database/notifications';
import type { Logger } from '../logger';
import type { JobQueue } from './queue';

const BATCH = 100;

export interface DispatcherTimes {
  /** Entries that are due later (retries) and lost notifications are found by looking this often; default 1 s. */
  pollMs: number;
  /** How often it is checked that the queue still knows all queued jobs; default 30 s. */
  sweepMs: number;
  /** How old a job is before that is checked; default 30 s. */
  forgottenMs: number;
}

const DEFAULT_TIMES: DispatcherTimes = { pollMs: 1_000, sweepMs: 30_000, forgottenMs: 30_000 };

/**
 * Moves outbox entries to the queue. The entry is deleted only after the queue has taken it, and the same attempt twice
 * is one entry there, so a crash in between costs nothing. Any number of dispatchers may run.
 */
export class Dispatcher implements AsyncDisposable {
  private running: Promise<void> | undefined;
  private sweeping: Promise<void> | undefined;
  private again = false;
  private closed = false;
  private readonly timers: NodeJS.Timeout[];
  private readonly unlisten: () => void;

  constructor(
    private readonly database: Database,
    notifications: Notifications,
    private readonly queue: JobQueue,
    private readonly logger: Logger,
    private readonly times: DispatcherTimes = DEFAULT_TIMES,
  ) {
    this.unlisten = notifications.on('sauti_outbox', () => this.wake());
    this.timers = [setInterval(() => this.wake(), times.pollMs), setInterval(() => this.sweep(), times.sweepMs)];
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
    return this.database.prisma.$transaction(async (tx) => {
      const due = await tx.$queryRaw<{ id: string; attempt: number; priority: number; state: string }[]>`
        select j.id, j.attempt, j.priority, j.state::text as state from platform.job_outbox o join platform.job j on j.id = o.job_id
         where o.run_at <= now() order by o.run_at limit ${BATCH} for update of o skip locked`;
      for (const job of due) {
        if (job.state !== 'QUEUED') continue;
        await this.queue.add({ jobId: job.id, attempt: job.attempt + 1, priority: job.priority });
      }
      await tx.jobOutbox.deleteMany({ where: { jobId: { in: due.map((job) => job.id) } } });
      return due.length;
    });
  }

  private sweep(): void {
    this.sweeping ??= this.findForgotten()
      .catch((error: unknown) => this.logger.warn({ error }, 'the sweep for forgotten jobs failed'))
      .finally(() => (this.sweeping = undefined));
  }

  /** A queued job that the queue does not know is handed over again: the queue's store was lost. */
  private async findForgotten(): Promise<void> {
    for (let last = ''; !this.closed;) {
      const queued = await this.queuedAfter(last);
      for (const job of queued) {
        if (await this.queue.has({ jobId: job.id, attempt: job.attempt + 1 })) continue;
        await this.database.prisma.$executeRaw`
          insert into platform.job_outbox (job_id) values (${job.id}) on conflict do nothing`;
      }
      if (queued.length < BATCH) return;
      last = queued.at(-1)!.id;
    }
  }

  private queuedAfter(id: string): Promise<{ id: string; attempt: number }[]> {
    return this.database.prisma.$queryRaw`
      select j.id, j.attempt from platform.job j left join platform.job_outbox o on o.job_id = j.id
       where j.state = 'QUEUED' and o.job_id is null and j.id > ${id}
         and j.created_at < now() - ${this.times.forgottenMs} * interval '1 millisecond'
       order by j.id limit ${BATCH}`;
  }
}
