import type { Database, PlatformTransaction } from '../database/database';
import type { Notifications } from '../database/notifications';
import type { EventLog } from '../events/event-log';
import type { Logger } from '../logger';
import type { Job } from './job';
import { JobLost, JobProblem, type JobContext, type JobHandler } from './job-handler';
import { JobStore, type Failure } from './job-store';
import type { JobQueue } from './queue';

const HEARTBEAT_MS = 1_500;
const SWEEP_MS = 2_000;
const PROGRESS_EVERY_MS = 250;

/** Why a running handler is asked to stop; the abort signal's reason. */
type StopReason = 'canceled' | 'lost' | 'shutdown';

interface Running {
  job: Job;
  stop: (reason: StopReason) => void;
  done: Promise<void>;
}

// The runner does not know its handlers' payload types; each handler parses its own.
export type AnyJobHandler = JobHandler<never, never>;

/**
 * Runs queued jobs in this process. One heartbeat per job keeps its lease and notices a cancel; one sweep takes over the
 * jobs of dead workers. `close()` stops taking jobs, gives running handlers `graceMs` to finish and hands the rest back.
 */
export class JobRunner {
  private readonly handlers: ReadonlyMap<string, JobHandler<unknown>>;
  private readonly store: JobStore;
  private readonly running = new Map<string, Running>();
  private readonly sweepTimer: NodeJS.Timeout;
  private readonly unlisten: () => void;

  constructor(
    private readonly options: {
      database: Database;
      events: EventLog;
      notifications: Notifications;
      queue: JobQueue;
      handlers: readonly AnyJobHandler[];
      concurrency: number;
      logger: Logger;
    },
  ) {
    const handlers = options.handlers as unknown as readonly JobHandler<unknown>[];
    this.handlers = new Map(handlers.map((handler) => [handler.definition.kind, handler]));
    this.store = new JobStore(options.database, options.events);
    options.queue.work({ concurrency: options.concurrency, run: (jobId, attempt) => this.run(jobId, attempt) });
    this.unlisten = options.notifications.on('sauti_cancel', (jobId) => void (jobId === undefined ? this.sweep() : this.cancel(jobId)));
    this.sweepTimer = setInterval(() => void this.sweep(), SWEEP_MS);
  }

  async close(graceMs = 5_000): Promise<void> {
    clearInterval(this.sweepTimer);
    this.unlisten();
    await this.options.queue.pause();
    const all = [...this.running.values()];
    const timer = setTimeout(() => all.forEach((running) => running.stop('shutdown')), graceMs);
    await Promise.all(all.map((running) => running.done));
    clearTimeout(timer);
  }

  private async run(jobId: string, attempt: number): Promise<void> {
    const job = await this.store.claim(jobId, attempt);
    if (!job) return;
    const abort = new AbortController();
    const running: Running = { job, stop: (reason) => abort.abort(reason), done: Promise.resolve() };
    running.done = this.runClaimed(job, abort).catch((error: unknown) => {
      this.options.logger.error({ error, jobId, attempt }, 'a job could not be ended; its lease will run out');
    });
    this.running.set(jobId, running);
    try {
      await running.done;
    } finally {
      this.running.delete(jobId);
    }
  }

  private async runClaimed(job: Job, abort: AbortController): Promise<void> {
    const logger = this.options.logger.child({ jobId: job.id, kind: job.kind, attempt: job.attempt });
    const heartbeat = setInterval(() => void this.beat(job, abort), HEARTBEAT_MS);
    const progress = new ProgressReports(job, this.store, logger);
    const handler = this.handlers.get(job.kind);
    try {
      if (!handler) throw new JobProblem('UNSUPPORTED', `No worker here knows jobs of kind ${job.kind}.`, false);
      const context = this.contextFor(job, abort.signal, logger, progress);
      const writes = await handler.run(handler.definition.parse(job.payload), context);
      await progress.settle();
      await this.store.succeed(job.id, job.attempt, writes);
      logger.info({}, 'job succeeded');
    } catch (error) {
      await progress.settle();
      await this.endUnfinished(job, handler, abort.signal, error, logger);
    } finally {
      clearInterval(heartbeat);
    }
  }

  private contextFor(job: Job, signal: AbortSignal, logger: Logger, progress: ProgressReports): JobContext<PlatformTransaction> {
    return {
      job,
      signal,
      logger,
      progress: (fraction, stage) => progress.report(fraction, stage),
      transaction: (work) =>
        this.options.database.prisma.$transaction(async (tx) => {
          await this.store.fence(tx, job.id, job.attempt);
          return work(tx);
        }),
    };
  }

  private async endUnfinished(job: Job, handler: JobHandler<unknown> | undefined, signal: AbortSignal, error: unknown, logger: Logger): Promise<void> {
    const reason = signal.aborted ? (signal.reason as StopReason) : undefined;
    try {
      if (reason === 'shutdown') return await this.store.handBack(job.id, job.attempt);
      if (reason === 'lost' || error instanceof JobLost) return logger.warn({}, 'the job belongs to another attempt now');
      const failure = failureOf(error);
      if (reason !== 'canceled') logger[failure.code === 'INTERNAL' ? 'error' : 'info']({ error }, 'job attempt failed');
      await this.store.giveUp(job.id, job.attempt, failure, (tx, outcome) => this.abandon(handler, job, tx, outcome));
    } catch (ending) {
      if (!(ending instanceof JobLost)) throw ending;
    }
  }

  private async abandon(handler: JobHandler<unknown> | undefined, job: Job, tx: PlatformTransaction, outcome: 'FAILED' | 'CANCELED'): Promise<void> {
    await handler?.abandon?.(handler.definition.parse(job.payload), tx, outcome);
  }

  private async beat(job: Job, abort: AbortController): Promise<void> {
    try {
      const state = await this.store.heartbeat(job.id, job.attempt);
      if (state === null) abort.abort('lost' satisfies StopReason);
      if (state === 'CANCELING') abort.abort('canceled' satisfies StopReason);
    } catch (error) {
      this.options.logger.warn({ error, jobId: job.id }, 'a heartbeat failed');
    }
  }

  private async cancel(jobId: string): Promise<void> {
    const running = this.running.get(jobId);
    if (running) return running.stop('canceled');
    try {
      await this.store.cancelWaiting(jobId, (tx, job) => this.abandon(this.handlers.get(job.kind), job, tx, 'CANCELED'));
    } catch (error) {
      this.options.logger.warn({ error, jobId }, 'a cancel failed; the sweep will try again');
    }
  }

  private async sweep(): Promise<void> {
    try {
      await this.store.takeOverDead((tx, job) => this.abandon(this.handlers.get(job.kind), job, tx, 'FAILED'));
      for (const jobId of await this.store.canceling()) await this.cancel(jobId);
    } catch (error) {
      this.options.logger.warn({ error }, 'the job sweep failed');
    }
  }
}

/** What the job's owner is told; an unexpected error keeps its text for the log and may be tried again. */
function failureOf(error: unknown): Failure {
  if (error instanceof JobProblem) return { code: error.code, message: error.message, retryable: error.retryable };
  return { code: 'INTERNAL', message: 'The job failed for a reason on our side.', retryable: true };
}

/** Writes progress one at a time, the newest value only, so a slow database never queues up old news. */
class ProgressReports {
  private last = { fraction: 0, stage: '', at: 0 };
  private next: { fraction: number; stage: string } | undefined;
  private writing: Promise<void> | undefined;
  private readonly startedAt = Date.now();

  constructor(
    private readonly job: Job,
    private readonly store: JobStore,
    private readonly logger: Logger,
  ) {}

  report(fraction: number, stage: string): void {
    const now = Date.now();
    const bounded = Math.min(0.999, Math.max(this.last.fraction, fraction));
    const due = stage !== this.last.stage || (bounded - this.last.fraction >= 0.01 && now - this.last.at >= PROGRESS_EVERY_MS);
    if (!due) return;
    this.last = { fraction: bounded, stage, at: now };
    this.next = { fraction: bounded, stage };
    this.writing ??= this.write().finally(() => (this.writing = undefined));
  }

  async settle(): Promise<void> {
    this.next = undefined;
    await this.writing;
  }

  private async write(): Promise<void> {
    while (this.next) {
      const { fraction, stage } = this.next;
      this.next = undefined;
      try {
        await this.store.progress(this.job.id, this.job.attempt, { progress: fraction, stage, expectedAt: this.expectedAt(fraction) });
      } catch (error) {
        this.logger.warn({ error }, 'progress could not be written');
      }
    }
  }

  /** Assumes that the rest goes as fast as what is done; too early to say below 2 %. */
  private expectedAt(fraction: number): Date | null {
    if (fraction < 0.02) return null;
    const elapsedMs = Date.now() - this.startedAt;
    return new Date(Date.now() + (elapsedMs * (1 - fraction)) / fraction);
  }
}
