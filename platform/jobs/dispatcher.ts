import type { Database } from '../database/database';
import type { Notifications } from '../database/notifications';
import type { Logger } from '../logger';
import type { JobQueue } from './queue';

const BATCH = 100;
/** Entries that are due later (retries) and lost notifications are found by looking this often. */
const POLL_MS = 1_000;
/** A queued job that the queue does not know after this time is handed over again: the queue's store was lost. */
const FORGOTTEN_MS = 30_000;
const SWEEP_MS = 30_000;

/**
 * Moves outbox entries to the queue. The entry is deleted only after the queue has taken it, and the same attempt twice
 * is one entry there, so a crash in between costs nothing. Any number of dispatchers may run.
 */
export class Dispatcher implements AsyncDisposable {
  private running: Promise<void> | undefined;
  private again = false;
  private closed = false;
  private readonly timers: NodeJS.Timeout[];
  private readonly unlisten: () => void;

  constructor(
    private readonly database: Database,
    notifications: Notifications,
    private readonly queue: JobQueue,
    private readonly logger: Logger,
  ) {
    this.unlisten = notifications.on('sauti_outbox', () => this.wake());
    this.timers = [setInterval(() => this.wake(), POLL_MS), setInterval(() => void this.findForgotten(), SWEEP_MS)];
    this.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
    this.unlisten();
    this.timers.forEach(clearInterval);
    await this.running;
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
        if (job.state === 'QUEUED')
          await this.queue.add({ jobId: job.id, attempt: job.attempt + 1, priority: job.priority });
      }
      await tx.jobOutbox.deleteMany({ where: { jobId: { in: due.map((job) => job.id) } } });
      return due.length;
    });
  }

  private async findForgotten(): Promise<void> {
    try {
      const queued = await this.database.prisma.$queryRaw<{ id: string; attempt: number }[]>`
        select j.id, j.attempt from platform.job j left join platform.job_outbox o on o.job_id = j.id
         where j.state = 'QUEUED' and o.job_id is null and j.created_at < now() - ${FORGOTTEN_MS} * interval '1 millisecond' limit ${BATCH}`;
      for (const job of queued) {
        if (await this.queue.has({ jobId: job.id, attempt: job.attempt + 1 })) continue;
        await this.database.prisma
          .$executeRaw`insert into platform.job_outbox (job_id) values (${job.id}) on conflict do nothing`;
      }
    } catch (error) {
      this.logger.warn({ error }, 'the sweep for forgotten jobs failed');
    }
  }
}
