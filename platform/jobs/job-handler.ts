import type { PlatformTransaction } from '../database/database';
import type { Logger } from '../logger';
import type { Job, JobDefinition, JobFailure } from './job';

/** A failure a handler reports on purpose; its message is shown to the job's owner. */
export class JobProblem extends Error {
  /** How long the next attempt waits; undefined: a growing time, see `JobStore.giveUp`. */
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: string,
    message: string,
    readonly retryable: boolean,
    options?: { cause?: unknown; retryAfterMs?: number },
  ) {
    super(message, options);
    this.name = 'JobProblem';
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** Thrown inside a handler whose job now belongs to another attempt: stop, and write nothing more. */
export class JobLost extends Error {
  constructor(jobId: string, attempt: number) {
    super(`Attempt ${attempt} of ${jobId} is over: another worker has taken the job.`);
    this.name = 'JobLost';
  }
}

export interface JobContext<Tx extends PlatformTransaction> {
  job: Job;
  /** Aborted with {@link JobStopped} when the job shall stop: canceled, lost to another worker, or the process goes down. */
  signal: AbortSignal;
  logger: Logger;
  /** Tells how far the work is, 0 to 1; written at most every 250 ms, and never lower than before within an attempt. */
  progress(fraction: number, stage: string): void;
  /** A directory of this attempt's own for temporary files, removed with everything in it when the attempt ends. */
  directory(): Promise<string>;
  /**
   * Called when the attempt ends without success, its last commit included: takes back what no transaction does, such as
   * stored bytes. Not called when the database went away, because that commit may have reached it.
   */
  undo(work: () => Promise<void>): void;
  /** A transaction that commits only while this attempt owns the job; otherwise it throws {@link JobLost}. */
  transaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result>;
}

/** Runs in the transaction that ends the job, before its last events are appended. */
export type FinishingWrites<Tx extends PlatformTransaction> = (tx: Tx) => Promise<void>;

/** How a job ended without a result; `failure` says why it FAILED. */
export type JobEnding = { outcome: 'FAILED'; failure: JobFailure } | { outcome: 'CANCELED'; failure: null };

/** Why a running handler is asked to stop. */
export type StopReason = 'canceled' | 'lost' | 'shutdown';

/** The reason of {@link JobContext.signal}; a handler lets it pass. */
export class JobStopped extends Error {
  constructor(readonly why: StopReason) {
    super(`The job was stopped: ${why}.`);
    this.name = 'JobStopped';
  }
}

/**
 * The work behind a definition; only the worker imports it. It may run twice for one job and must not mind.
 * `run` answers the writes that make the result visible; they commit together with the state SUCCEEDED.
 */
export interface JobHandler<Payload, Tx extends PlatformTransaction = PlatformTransaction> {
  definition: JobDefinition<Payload>;
  run(payload: Payload, context: JobContext<Tx>): Promise<FinishingWrites<Tx>>;
  /** Removes what an unfinished run left behind; commits together with FAILED or CANCELED. */
  abandon?(payload: Payload, tx: Tx, ending: JobEnding): Promise<void>;
}
