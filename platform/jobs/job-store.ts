import { announceCredits } from '../credits/account';
import { isPriced } from '../credits/prices';
import { isWriteConflict, type Database, type PlatformTransaction } from '../database/database';
import type { EventLog } from '../events/event-log';
import { announce, FINAL_STATES, putInLine, type Job, type JobFailure } from './job';
import { endWithout, endWithSuccess, errorColumns, type CleanUp } from './job-endings';
import { JobLost, type JobEnding } from './job-handler';
import { jobOf } from './job-row';
import { countLoss } from './worker-losses';

/** A worker that has not renewed its job for this long is taken for dead. Three heartbeats may fail before. */
export const LEASE_MS = 6_000;
/** The longest waiting time before attempt n + 1: 2 s, 4 s, 8 s …, at most 5 minutes; the shortest is half of it. */
const BACKOFF_MS = 2_000;
const MAX_BACKOFF_MS = 300_000;
const SWEEP_SIZE = 100;
/** How often a move is tried that PostgreSQL ended in favour of another transaction. */
const MOVE_TRIES = 5;

const WORKER_LOST: JobFailure = {
  code: 'WORKER_LOST',
  message: 'The worker died or stopped answering; it is tried again.',
  retryable: true,
};
const CANCELED: JobEnding = { outcome: 'CANCELED', failure: null };

/**
 * The moves of a job's row. Each is one transaction that checks the state it starts from and the attempt (the fencing
 * token), so a worker that was frozen and wakes up late changes nothing. Leases are measured by the database's clock.
 * The transaction that ends a job also starts, or ends, the jobs that wait for it.
 */
export class JobStore {
  constructor(
    private readonly database: Database,
    private readonly events: EventLog,
    /** From 0 to below 1, as Math.random. */
    private readonly random: () => number = Math.random,
  ) {}

  /**
   * QUEUED → RUNNING for the job that is most urgent when the queue's entry (`jobId`, `attempt`) comes to its turn: see
   * `platform.claim_job`. Null when there is nothing to run. `isApart`: this worker runs a suspect and takes no other.
   */
  async claim(entry: { jobId: string; attempt: number; workerId: string; isApart: boolean }): Promise<Job | null> {
    const [job] = await this.move(async (tx) => {
      const rows = await tx.$queryRaw<Record<string, unknown>[]>`
        select * from platform.claim_job(${entry.jobId}, ${entry.attempt}::int, ${entry.workerId}, ${entry.isApart})`;
      return rows.map(jobOf);
    });
    return job ?? null;
  }

  /**
   * Records progress of a running attempt, and when its end is expected, counted from now; announces it to the owner.
   * Silent when the attempt is over.
   */
  async progress(
    jobId: string,
    attempt: number,
    { progress, stage, expectedInMs }: { progress: number; stage: string; expectedInMs: number | null },
  ): Promise<void> {
    await this.move(async (tx) => {
      const rows = await tx.$queryRaw<Record<string, unknown>[]>`
        update platform.job set progress = ${progress}::float8, stage = ${stage},
               expected_at = now() + ${expectedInMs}::float8 * interval '1 millisecond'
         where id = ${jobId} and attempt = ${attempt} and state = 'RUNNING' returning *`;
      return rows.map(jobOf);
    });
  }

  /**
   * Locks the row and throws {@link JobLost} unless this attempt runs it; the lock lasts for the transaction, so nobody
   * can take the job over before the caller's writes are committed.
   */
  async fence(tx: PlatformTransaction, jobId: string, attempt: number): Promise<void> {
    const rows = await tx.$queryRaw<unknown[]>`
      select 1 from platform.job where id = ${jobId} and attempt = ${attempt} and state in ('RUNNING', 'CANCELING')
         for no key update`;
    if (rows.length === 0) throw new JobLost(jobId, attempt);
  }

  /** RUNNING → SUCCEEDED together with the handler's writes. A cancel that came too late is overruled by the result. */
  async succeed(jobId: string, attempt: number, writes: (tx: PlatformTransaction) => Promise<void>): Promise<void> {
    await this.move(async (tx) => {
      await this.fence(tx, jobId, attempt);
      await writes(tx);
      return endWithSuccess(tx, jobId);
    });
  }

  /**
   * Ends or requeues a job that an attempt could not finish: FAILED when trying again cannot help or no attempt is left,
   * CANCELED when that was asked for, else QUEUED with a delay, which grows unless `retryAfterMs` is given.
   */
  async giveUp(
    jobId: string,
    attempt: number,
    failure: JobFailure,
    cleanUp: CleanUp,
    retryAfterMs?: number,
  ): Promise<void> {
    await this.move(async (tx) => {
      const job = await this.owned(tx, jobId, attempt);
      if (job.state === 'CANCELING') return endWithout(tx, job, CANCELED, cleanUp);
      const isOver = !failure.retryable || job.attempt >= job.maxAttempts;
      if (isOver) return endWithout(tx, job, { outcome: 'FAILED', failure }, cleanUp);
      const given = job.attempt - (job.maxAttempts - job.attemptsGiven);
      return [await this.requeue(tx, job, failure, retryAfterMs ?? this.backoffMs(Math.max(1, given)))];
    });
  }

  /** Gives a running job back, without counting the attempt, because its worker is going down. */
  async handBack(jobId: string, attempt: number, cleanUp: CleanUp): Promise<void> {
    await this.move(async (tx) => {
      const job = await this.owned(tx, jobId, attempt);
      if (job.state === 'CANCELING') return endWithout(tx, job, CANCELED, cleanUp);
      await tx.job.update({ where: { id: jobId }, data: { maxAttempts: { increment: 1 } } });
      return [await this.requeue(tx, job, null, 0)];
    });
  }

  /** CANCELING → CANCELED for a job that no worker runs; false when a live worker holds it (which will end it). */
  async cancelWaiting(jobId: string, cleanUp: CleanUp): Promise<boolean> {
    const changed = await this.move(async (tx) => {
      const [idle] = await tx.$queryRaw<{ id: string }[]>`
        select id from platform.job where id = ${jobId} and state = 'CANCELING'
           and (heartbeat_at is null or heartbeat_at < now() - ${LEASE_MS} * interval '1 millisecond')
           for no key update skip locked`;
      if (!idle) return [];
      return endWithout(tx, await tx.job.findUniqueOrThrow({ where: { id: jobId } }), CANCELED, cleanUp);
    });
    return changed.length > 0;
  }

  /** Ids of RUNNING jobs whose lease has run out, longest ago first. */
  async dead(): Promise<string[]> {
    const rows = await this.database.prisma.$queryRaw<{ id: string }[]>`
      select id from platform.job where state = 'RUNNING' and heartbeat_at < now() - ${LEASE_MS} * interval '1 millisecond'
       order by heartbeat_at limit ${SWEEP_SIZE}`;
    return rows.map((row) => row.id);
  }

  /**
   * Requeues a job whose lease has run out, or ends it as FAILED when its workers keep dying (see {@link countLoss}).
   * False when it has not run out.
   */
  async takeOver(jobId: string, cleanUp: CleanUp): Promise<boolean> {
    const changed = await this.move(async (tx) => {
      const [row] = await tx.$queryRaw<{ id: string }[]>`
        select id from platform.job where id = ${jobId} and state = 'RUNNING'
           and heartbeat_at < now() - ${LEASE_MS} * interval '1 millisecond' for no key update skip locked`;
      if (!row) return [];
      const job = await countLoss(tx, await tx.job.findUniqueOrThrow({ where: { id: jobId } }));
      if (job.attempt < job.maxAttempts) return [await this.requeue(tx, job, WORKER_LOST, 0)];
      const message = `The worker died or stopped answering ${job.losses} times while running this job.`;
      const failure = { ...WORKER_LOST, message };
      return endWithout(tx, job, { outcome: 'FAILED', failure }, cleanUp);
    });
    return changed.length > 0;
  }

  /** Ids of CANCELING jobs, oldest first, for the sweep. */
  async canceling(): Promise<string[]> {
    const rows = await this.database.prisma.job.findMany({
      where: { state: 'CANCELING' },
      select: { id: true },
      orderBy: { createdAt: 'asc' },
      take: SWEEP_SIZE,
    });
    return rows.map((row) => row.id);
  }

  private async owned(tx: PlatformTransaction, jobId: string, attempt: number): Promise<Job> {
    await this.fence(tx, jobId, attempt);
    return tx.job.findUniqueOrThrow({ where: { id: jobId } });
  }

  private async requeue(tx: PlatformTransaction, job: Job, failure: JobFailure | null, delayMs: number): Promise<Job> {
    await putInLine(tx, job, delayMs);
    return tx.job.update({
      where: { id: job.id },
      data: {
        state: 'QUEUED',
        ...{ stage: null, heartbeatAt: null, expectedAt: null, handedAt: null },
        ...errorColumns(failure),
      },
    });
  }

  /**
   * "Equal jitter": half of the growing time, and a random part of the other half, so that jobs which failed together do
   * not all come back together (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
   */
  private backoffMs(attempt: number): number {
    const longest = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (attempt - 1));
    return Math.round((longest / 2) * (1 + this.random()));
  }

  /** The victim of a deadlock has written nothing, and its rival has gone on: it runs again, `work` included. */
  private async move(work: (tx: PlatformTransaction) => Promise<Job[]>): Promise<Job[]> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.moveOnce(work);
      } catch (error) {
        if (tried === MOVE_TRIES || !isWriteConflict(error)) throw error;
      }
    }
  }

  private async moveOnce(work: (tx: PlatformTransaction) => Promise<Job[]>): Promise<Job[]> {
    return this.database.prisma.$transaction(async (tx) => {
      const jobs = await work(tx);
      for (const job of jobs) await announce(tx, this.events, job);
      // All of them have one owner: they need each other.
      const paid = jobs.find(({ state, kind }) => FINAL_STATES.includes(state) && isPriced(kind));
      if (paid) await announceCredits(tx, this.events, paid.ownerId);
      return jobs;
    });
  }
}
