import { isWriteConflict, type Database, type PlatformTransaction } from '../database/database';
import type { EventLog } from '../events/event-log';
import { announce, type Job, type JobFailure, type JobState } from './job';
import { JobLost, type JobEnding } from './job-handler';

/** A worker that has not renewed its job for this long is taken for dead. Three heartbeats may fail before. */
export const LEASE_MS = 6_000;
/** Waiting time before attempt n + 1: 1 s, 2 s, 4 s … */
const BACKOFF_MS = 1_000;
const SWEEP_SIZE = 100;
/** How often a move is tried that PostgreSQL ended in favour of another transaction. */
const MOVE_TRIES = 5;

/** What the job leaves behind is removed in the transaction that ends it. */
export type CleanUp = (tx: PlatformTransaction, job: Job, ending: JobEnding) => Promise<void>;

const CANCELED: JobEnding = { outcome: 'CANCELED', failure: null };

/**
 * The moves of a job's row. Each is one transaction that checks the state it starts from and the attempt (the fencing
 * token), so a worker that was frozen and wakes up late changes nothing. Leases are measured by the database's clock.
 */
export class JobStore {
  constructor(
    private readonly database: Database,
    private readonly events: EventLog,
  ) {}

  /** QUEUED → RUNNING as attempt `attempt`; null when the entry is stale and there is nothing to run. */
  async claim(jobId: string, attempt: number): Promise<Job | null> {
    return this.move(async (tx) => {
      const [job] = await tx.$queryRaw<{ id: string }[]>`
        update platform.job set state = 'RUNNING', attempt = ${attempt}, progress = 0, stage = null, expected_at = null,
               heartbeat_at = now(), started_at = coalesce(started_at, now())
         where id = ${jobId} and state = 'QUEUED' and attempt = ${attempt - 1} returning id`;
      return job ? tx.job.findUniqueOrThrow({ where: { id: jobId } }) : null;
    });
  }

  /** Renews the lease and answers the state, or null when the attempt no longer owns the job. */
  async heartbeat(jobId: string, attempt: number): Promise<JobState | null> {
    const rows = await this.database.prisma.$queryRaw<{ state: JobState }[]>`
      update platform.job set heartbeat_at = now()
       where id = ${jobId} and attempt = ${attempt} and state in ('RUNNING', 'CANCELING')
      returning state::text as state`;
    return rows[0]?.state ?? null;
  }

  /** Records progress of a running attempt; announces it to the owner. Silent when the attempt is over. */
  async progress(
    jobId: string,
    attempt: number,
    update: { progress: number; stage: string; expectedAt: Date | null },
  ): Promise<void> {
    await this.move(async (tx) => {
      const where = { id: jobId, attempt, state: 'RUNNING' } as const;
      const [job] = await tx.job.updateManyAndReturn({ where, data: update });
      return job ?? null;
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
      return tx.job.update({
        where: { id: jobId },
        data: { state: 'SUCCEEDED', progress: 1, ...ended(null) },
      });
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
    retryAfterMs = BACKOFF_MS * 2 ** (attempt - 1),
  ): Promise<void> {
    await this.move(async (tx) => {
      const job = await this.owned(tx, jobId, attempt);
      if (job.state === 'CANCELING') return this.end(tx, job, CANCELED, cleanUp);
      const isOver = !failure.retryable || job.attempt >= job.maxAttempts;
      if (isOver) return this.end(tx, job, { outcome: 'FAILED', failure }, cleanUp);
      return this.requeue(tx, job, failure, retryAfterMs);
    });
  }

  /** Gives a running job back, without counting the attempt, because its worker is going down. */
  async handBack(jobId: string, attempt: number, cleanUp: CleanUp): Promise<void> {
    await this.move(async (tx) => {
      const job = await this.owned(tx, jobId, attempt);
      if (job.state === 'CANCELING') return this.end(tx, job, CANCELED, cleanUp);
      await tx.job.update({ where: { id: jobId }, data: { maxAttempts: { increment: 1 } } });
      return this.requeue(tx, job, null, 0);
    });
  }

  /** CANCELING → CANCELED for a job that no worker runs; false when a live worker holds it (which will end it). */
  async cancelWaiting(jobId: string, cleanUp: CleanUp): Promise<boolean> {
    const canceled = await this.move(async (tx) => {
      const [idle] = await tx.$queryRaw<{ id: string }[]>`
        select id from platform.job where id = ${jobId} and state = 'CANCELING'
           and (heartbeat_at is null or heartbeat_at < now() - ${LEASE_MS} * interval '1 millisecond')
           for no key update skip locked`;
      if (!idle) return null;
      return this.end(tx, await tx.job.findUniqueOrThrow({ where: { id: jobId } }), CANCELED, cleanUp);
    });
    return canceled !== null;
  }

  /** Ids of RUNNING jobs whose lease has run out, longest ago first. */
  async dead(): Promise<string[]> {
    const rows = await this.database.prisma.$queryRaw<{ id: string }[]>`
      select id from platform.job where state = 'RUNNING' and heartbeat_at < now() - ${LEASE_MS} * interval '1 millisecond'
       order by heartbeat_at limit ${SWEEP_SIZE}`;
    return rows.map((row) => row.id);
  }

  /** Requeues a job whose lease has run out, or ends it as FAILED when its workers keep dying. False when it has not. */
  async takeOver(jobId: string, cleanUp: CleanUp): Promise<boolean> {
    const taken = await this.move(async (tx) => {
      const [row] = await tx.$queryRaw<{ id: string }[]>`
        select id from platform.job where id = ${jobId} and state = 'RUNNING'
           and heartbeat_at < now() - ${LEASE_MS} * interval '1 millisecond' for no key update skip locked`;
      if (!row) return null;
      const job = await tx.job.findUniqueOrThrow({ where: { id: jobId } });
      if (job.attempt < job.maxAttempts) return this.requeue(tx, job, null, 0);
      const message = `The worker died or stopped answering ${job.attempt} times while running this job.`;
      const failure = { code: 'WORKER_LOST', message, retryable: true };
      return this.end(tx, job, { outcome: 'FAILED', failure }, cleanUp);
    });
    return taken !== null;
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

  private async end(tx: PlatformTransaction, job: Job, ending: JobEnding, cleanUp: CleanUp): Promise<Job> {
    await cleanUp(tx, job, ending);
    return tx.job.update({ where: { id: job.id }, data: { state: ending.outcome, ...ended(ending.failure) } });
  }

  private async requeue(tx: PlatformTransaction, job: Job, failure: JobFailure | null, delayMs: number): Promise<Job> {
    const runAt = new Date(Date.now() + delayMs);
    await tx.jobOutbox.upsert({ where: { jobId: job.id }, create: { jobId: job.id, runAt }, update: { runAt } });
    return tx.job.update({
      where: { id: job.id },
      data: { state: 'QUEUED', stage: null, heartbeatAt: null, expectedAt: null, ...errorColumns(failure) },
    });
  }

  /** The victim of a deadlock has written nothing, and its rival has gone on: it runs again, `work` included. */
  private async move(work: (tx: PlatformTransaction) => Promise<Job | null>): Promise<Job | null> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.moveOnce(work);
      } catch (error) {
        if (tried === MOVE_TRIES || !isWriteConflict(error)) throw error;
      }
    }
  }

  private async moveOnce(work: (tx: PlatformTransaction) => Promise<Job | null>): Promise<Job | null> {
    return this.database.prisma.$transaction(async (tx) => {
      const job = await work(tx);
      if (job) await announce(tx, this.events, job);
      return job;
    });
  }
}

function ended(failure: JobFailure | null) {
  return { stage: null, finishedAt: new Date(), expectedAt: null, ...errorColumns(failure) };
}

function errorColumns(failure: JobFailure | null) {
  return {
    errorCode: failure?.code ?? null,
    errorMessage: failure?.message ?? null,
    errorRetryable: failure?.retryable ?? null,
  };
}
