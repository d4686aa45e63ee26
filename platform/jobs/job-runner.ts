import { randomUUID } from 'node:crypto';
import type { Database, PlatformTransaction } from '../database/database';
import type { Notifications } from '../database/notifications';
import { isDatabaseUnavailable } from '../errors';
import type { EventLog } from '../events/event-log';
import type { Logger } from '../logger';
import { pause } from '../pause';
import { Heartbeats, type Beat } from './heartbeats';
import type { Job, JobDefinition, JobFailure } from './job';
import { directoryName, JobDirectory, removeAbandonedDirectories } from './job-directory';
import type { CleanUp } from './job-endings';
import { JobLost, JobProblem, JobStopped, type JobContext, type JobHandler, type StopReason } from './job-handler';
import { JobStore, LEASE_MS } from './job-store';
import { ProgressReports } from './progress-reports';
import type { JobQueue } from './queue';
import { isSuspect } from './worker-losses';

const SWEEP_MS = 2_000;
const CLAIM_RETRY_MS = 1_000;
/** While versions are exchanged, a job waits this long for a worker that understands it. */
const NOT_UNDERSTOOD_RETRY_MS = 60_000;

interface Running {
  job: Job;
  stop: (why: StopReason) => void;
  done: Promise<void>;
}

/** A handler whatever its payload and its slice: it is given what its own definition has parsed, and no other knows the type. */
export type AnyJobHandler = Omit<JobHandler<never, never>, 'definition'> & { definition: JobDefinition<unknown> };

/**
 * Runs queued jobs in this process. Heartbeats keep their leases and notice a cancel; one sweep takes over the jobs of
 * dead workers and removes the temporary files they left on this host. `close()` stops taking jobs, gives running handlers
 * `graceMs` to finish and hands the rest back.
 */
export class JobRunner {
  private readonly handlers: ReadonlyMap<string, JobHandler<unknown>>;
  private readonly store: JobStore;
  /** Attempts, not jobs: one that was lost may still be stopping when the next attempt of its job starts here. */
  private readonly running = new Set<Running>();
  private readonly closing = new AbortController();
  private readonly workerId = randomUUID();
  private readonly heartbeats: Heartbeats;
  private claiming = 0;
  private isOver = false;
  private sweeping: Promise<void> | undefined;
  /** When a sweep last failed, by this process's clock. */
  private awayAt = -Infinity;
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
      /** Where the attempts' temporary files go. */
      scratchDirectory: string;
      logger: Logger;
    },
  ) {
    const handlers = options.handlers as unknown as readonly JobHandler<unknown>[];
    this.handlers = new Map(handlers.map((handler) => [handler.definition.kind, handler]));
    this.store = new JobStore(options.database, options.events);
    const { url } = options.database;
    this.heartbeats = new Heartbeats({ url, logger: options.logger, hear: (beat) => this.hear(beat) });
    options.queue.work({ concurrency: options.concurrency, run: (jobId, attempt) => this.run(jobId, attempt) });
    this.unlisten = options.notifications.on('sauti_cancel', (jobId) => void this.noticeCancel(jobId));
    this.sweepTimer = setInterval(() => this.sweep(), SWEEP_MS);
    this.sweep(); // whoever was here before may just have died, and this process may not live long either
  }

  async close(graceMs = 5_000): Promise<void> {
    clearInterval(this.sweepTimer);
    this.unlisten();
    this.closing.abort();
    await this.options.queue.pause();
    const timer = setTimeout(() => {
      this.isOver = true; // an entry that the queue was just handing out is claimed and handed back at once
      this.running.forEach((running) => running.stop('shutdown'));
    }, graceMs);
    while (this.running.size > 0) await Promise.all([...this.running].map((running) => running.done));
    clearTimeout(timer);
    this.isOver = true;
    await this.sweeping;
    await this.heartbeats[Symbol.asyncDispose]();
  }

  /** An entry of the queue may start another job than the one it names: see {@link JobStore.claim}. */
  private async run(entryJobId: string, entryAttempt: number): Promise<void> {
    const running = await this.begin(entryJobId, entryAttempt);
    if (!running) return;
    await running.done;
    this.running.delete(running);
  }

  private async begin(entryJobId: string, entryAttempt: number): Promise<Running | null> {
    this.claiming++;
    try {
      const job = await this.claim(entryJobId, entryAttempt);
      return job && this.start(job);
    } finally {
      this.claiming--;
    }
  }

  private start(job: Job): Running {
    const abort = new AbortController();
    const running: Running = { job, stop: (why) => abort.abort(new JobStopped(why)), done: Promise.resolve() };
    if (this.isOver) running.stop('shutdown');
    running.done = this.runClaimed(job, abort.signal).catch((error: unknown) => {
      const { id: jobId, attempt } = job;
      this.options.logger.error({ error, jobId, attempt }, 'a job could not be ended; its lease will run out');
    });
    this.running.add(running);
    return running;
  }

  /** While the database is away the entry is kept: given back to the queue it would be spent, and the job forgotten for a while. */
  private async claim(jobId: string, attempt: number): Promise<Job | null> {
    for (;;) {
      try {
        return await this.store.claim({ jobId, attempt, workerId: this.workerId, isApart: this.mayHoldSuspect() });
      } catch (error) {
        this.options.logger.warn({ error, jobId }, 'a job cannot be claimed; trying again');
        await pause(CLAIM_RETRY_MS, this.closing.signal);
        if (this.closing.signal.aborted) return null;
      }
    }
  }

  /** What another claim under way may bring is not known yet. */
  private mayHoldSuspect(): boolean {
    return this.claiming > 1 || [...this.running].some(({ job }) => isSuspect(job));
  }

  private async runClaimed(job: Job, signal: AbortSignal): Promise<void> {
    const logger = this.options.logger.child({ jobId: job.id, kind: job.kind, attempt: job.attempt });
    this.heartbeats.add(job);
    const progress = new ProgressReports(job, this.options.database.prisma, this.store, logger);
    await using directory = new JobDirectory(this.options.scratchDirectory, directoryName(job));
    const undo: (() => Promise<void>)[] = [];
    try {
      const { handler, payload } = this.handlerFor(job);
      const writes = await handler.run(payload, this.contextFor(job, { signal, logger, progress, directory, undo }));
      await progress.settle();
      await this.store.succeed(job.id, job.attempt, writes);
      logger.info({}, 'job succeeded');
    } catch (error) {
      if (!isDatabaseUnavailable(error)) await Promise.allSettled(undo.map((work) => work()));
      await progress.settle();
      await this.endUnfinished(job, signal, error, logger);
    } finally {
      this.heartbeats.remove(job);
    }
  }

  /** Throws when the job cannot be understood here: a newer worker may, so it is tried again later, up to its limit. */
  private handlerFor(job: Job): { handler: JobHandler<unknown>; payload: unknown } {
    const retryAfterMs = NOT_UNDERSTOOD_RETRY_MS;
    const handler = this.handlers.get(job.kind);
    if (!handler) {
      throw new JobProblem('UNSUPPORTED', `No worker here knows jobs of kind ${job.kind}.`, true, { retryAfterMs });
    }
    try {
      return { handler, payload: handler.definition.parse(job.payload) };
    } catch (cause) {
      const message = 'The job was written in a form that this version cannot read.';
      throw new JobProblem('INTERNAL', message, true, { cause, retryAfterMs });
    }
  }

  private contextFor(
    job: Job,
    attempt: {
      signal: AbortSignal;
      logger: Logger;
      progress: ProgressReports;
      directory: JobDirectory;
      undo: (() => Promise<void>)[];
    },
  ): JobContext<PlatformTransaction> {
    const { signal, logger, progress, directory, undo } = attempt;
    return {
      job,
      signal,
      logger,
      directory: () => directory.path(),
      progress: (fraction, stage) => progress.report(fraction, stage),
      undo: (work) => void undo.push(work),
      transaction: (work) =>
        this.options.database.prisma.$transaction(async (tx) => {
          await this.store.fence(tx, job.id, job.attempt);
          return work(tx);
        }),
    };
  }

  private async endUnfinished(job: Job, signal: AbortSignal, error: unknown, logger: Logger): Promise<void> {
    const why = signal.reason instanceof JobStopped ? signal.reason.why : undefined;
    try {
      if (why === 'shutdown') return await this.store.handBack(job.id, job.attempt, this.cleanUp);
      if (why === 'lost' || error instanceof JobLost) return logger.warn({}, 'the job belongs to another attempt now');
      const failure = failureOf(error);
      if (why !== 'canceled') logger[failure.code === 'INTERNAL' ? 'error' : 'info']({ error }, 'job attempt failed');
      const retryAfterMs = error instanceof JobProblem ? error.retryAfterMs : undefined;
      await this.store.giveUp(job.id, job.attempt, failure, this.cleanUp, retryAfterMs);
    } catch (ending) {
      if (!(ending instanceof JobLost)) throw ending;
    }
  }

  /** A job that cannot be understood here left nothing behind, and must still be able to end. */
  private readonly cleanUp: CleanUp = async (tx, job, ending) => {
    let understood;
    try {
      understood = this.handlerFor(job);
    } catch {
      return;
    }
    await understood.handler.abandon?.(understood.payload, tx, ending);
  };

  private hear({ id, attempt, state }: Beat): void {
    if (state === 'RUNNING') return;
    for (const { job, stop } of this.running)
      if (job.id === id && job.attempt === attempt) stop(state === null ? 'lost' : 'canceled');
  }

  private async noticeCancel(jobId: string | undefined): Promise<void> {
    if (jobId === undefined) return this.sweep();
    const own = [...this.running].filter((running) => running.job.id === jobId);
    own.forEach((running) => running.stop('canceled'));
    if (own.length === 0) await this.attend(jobId, () => this.store.cancelWaiting(jobId, this.cleanUp));
  }

  /** One at a time, however long the database takes to answer. */
  private sweep(): void {
    this.sweeping ??= this.sweepOnce().finally(() => (this.sweeping = undefined));
  }

  private async sweepOnce(): Promise<void> {
    try {
      // A database that was away has let the leases of the living run out, too: they get the time to renew them.
      const dead = performance.now() - this.awayAt < LEASE_MS ? [] : await this.store.dead();
      for (const jobId of dead) await this.attend(jobId, () => this.store.takeOver(jobId, this.cleanUp));
      for (const jobId of await this.store.canceling()) await this.noticeCancel(jobId);
    } catch (error) {
      this.awayAt = performance.now();
      this.options.logger.warn({ error }, 'the job sweep failed');
    }
    await this.removeAbandoned();
  }

  private async removeAbandoned(): Promise<void> {
    const { scratchDirectory, database, logger } = this.options;
    try {
      await removeAbandonedDirectories(scratchDirectory, database);
    } catch (error) {
      logger.warn({ error }, 'temporary files of lost jobs could not be removed; the next sweep tries again');
    }
  }

  /** One job that cannot be moved must not keep the sweep from the others. */
  private async attend(jobId: string, move: () => Promise<boolean>): Promise<void> {
    try {
      await move();
    } catch (error) {
      this.options.logger.error({ error, jobId }, 'a job could not be ended; the next sweep tries again');
    }
  }
}

/** What the job's owner is told; an unexpected error keeps its text for the log and may be tried again. */
function failureOf(error: unknown): JobFailure {
  if (error instanceof JobProblem) return { code: error.code, message: error.message, retryable: error.retryable };
  return { code: 'INTERNAL', message: 'The job failed for a reason on our side.', retryable: true };
}
