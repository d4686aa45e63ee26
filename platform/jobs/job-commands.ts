import { announceCredits } from '../credits/account';
import { hold } from '../credits/ledger';
import { priceOf } from '../credits/prices';
import type { PlatformTransaction } from '../database/database';
import type { EventLog } from '../events/event-log';
import { announce, PRIORITIES, putInLine, type Job, type JobPriority, type JobState } from './job';
import { endedWith, needsHaveSucceeded, needsOf, NeedError } from './job-needs';

/** A command that is not possible in the state the job is in; the message names it and is for the job's owner. */
export class JobCommandRefused extends Error {
  constructor(
    readonly state: JobState,
    message: string,
  ) {
    super(message);
    this.name = 'JobCommandRefused';
  }
}

interface OwnJob {
  jobId: string;
  ownerId: string;
}

/**
 * Asks for a job to stop. Answers the job as it is now, or null when the owner has no such job. A worker ends it:
 * at once when it only waits, within its heartbeat when it runs. A job that has ended stays as it is.
 */
export async function requestCancel(tx: PlatformTransaction, events: EventLog, own: OwnJob): Promise<Job | null> {
  const [job] = await tx.job.updateManyAndReturn({
    where: { id: own.jobId, ownerId: own.ownerId, state: { in: ['WAITING', 'QUEUED', 'RUNNING'] } },
    data: { state: 'CANCELING' },
  });
  if (!job) return tx.job.findFirst({ where: { id: own.jobId, ownerId: own.ownerId } });
  await announce(tx, events, job);
  return job;
}

/**
 * Starts a FAILED or CANCELED job again with as many attempts as a new one; jobs that had ended with it, because they need
 * it, wait for it again. Answers the job, or null when the owner has no such job. Throws {@link JobCommandRefused} in any
 * other state, and when a job that it needs has failed itself, `InsufficientCredits` when what they cost cannot be held again.
 * Call it last: it appends to the owner's topics.
 */
export async function requestRetry(tx: PlatformTransaction, events: EventLog, own: OwnJob): Promise<Job | null> {
  const job = await tx.job.findFirst({ where: { id: own.jobId, ownerId: own.ownerId } });
  if (!job) return null;
  refuseRetryIn(job.state);
  const isReady = await needsHaveSucceeded(tx, own.ownerId, await needsOf(tx, job.id)).catch((error: unknown) => {
    if (error instanceof NeedError) throw new JobCommandRefused(job.state, error.message);
    throw error;
  });
  refuseRetryIn(await lockedState(tx, job.id)); // somebody else may have retried it by now
  const changed = [await restart(tx, job, isReady)];
  for (const parent of changed)
    for (const dependent of await endedWith(tx, parent.id)) changed.push(await restart(tx, dependent, false));
  await holdAgain(tx, changed);
  for (const one of changed) await announce(tx, events, one);
  if (changed.some(({ credits }) => credits > 0)) await announceCredits(tx, events, own.ownerId);
  return changed[0]!;
}

/** Behind the locks of all of them: see `lockAccount`. */
async function holdAgain(tx: PlatformTransaction, jobs: readonly Job[]): Promise<void> {
  for (const { id: jobId, ownerId, credits } of jobs) if (credits > 0) await hold(tx, { ownerId, jobId, credits });
}

/**
 * Moves a job that waits before or behind others. Answers the job, or null when the owner has no such job. Throws
 * {@link JobCommandRefused} for one that runs, is being canceled or has ended. Call it last: it appends to the owner's topic.
 */
export async function changePriority(
  tx: PlatformTransaction,
  events: EventLog,
  own: OwnJob & { priority: JobPriority },
): Promise<Job | null> {
  const known = await tx.job.findFirst({ where: { id: own.jobId, ownerId: own.ownerId }, select: { id: true } });
  if (!known) return null;
  const state = await lockedState(tx, own.jobId);
  if (state !== 'WAITING' && state !== 'QUEUED')
    throw new JobCommandRefused(state, `Only a job that waits can be moved; this one is ${state}.`);
  const job = await tx.job.update({ where: { id: own.jobId }, data: { priority: PRIORITIES[own.priority] } });
  if (state === 'QUEUED') await moveInLine(tx, job);
  await announce(tx, events, job);
  return job;
}

/** A job that the queue holds already is handed over again, which moves it there. */
async function moveInLine(tx: PlatformTransaction, job: Job): Promise<void> {
  if (job.handedAt) await putInLine(tx, job);
  else await tx.jobOutbox.updateMany({ where: { jobId: job.id }, data: { priority: job.priority } });
}

async function lockedState(tx: PlatformTransaction, jobId: string): Promise<JobState> {
  const [row] = await tx.$queryRaw<{ state: JobState }[]>`
    select state::text as state from platform.job where id = ${jobId} for no key update`;
  return row!.state;
}

function refuseRetryIn(state: JobState): void {
  if (state === 'FAILED' || state === 'CANCELED') return;
  throw new JobCommandRefused(state, `Only a failed or canceled job can be retried; this one is ${state}.`);
}

async function restart(tx: PlatformTransaction, job: Job, isReady: boolean): Promise<Job> {
  const row = await tx.job.update({
    where: { id: job.id },
    data: {
      state: isReady ? 'QUEUED' : 'WAITING',
      maxAttempts: job.attempt + job.attemptsGiven,
      credits: priceOf(job.kind, job.size) ?? 0,
      ...{ losses: 0, lostWorkerId: null, handedAt: null, heartbeatAt: null },
      ...{ progress: 0, stage: null, expectedAt: null, finishedAt: null },
      ...{ errorCode: null, errorMessage: null, errorRetryable: null },
    },
  });
  if (isReady) await putInLine(tx, row);
  return row;
}
