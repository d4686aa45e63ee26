import { announceCredits } from '../credits/account';
import { hold } from '../credits/ledger';
import { priceOf } from '../credits/prices';
import type { PlatformTransaction } from '../database/database';
import type { Job, JobState } from '../database/prisma-client/client';
import type { EventLog } from '../events/event-log';
import { topicFamily, type Topic } from '../events/topic';
import { newId } from '../ids';
import { needsHaveSucceeded } from './job-needs';

export type { Job, JobState };

/** What a slice declares about one kind of background work: light enough for every process to import. */
export interface JobDefinition<Payload> {
  /** As in the graph's JobKind enum. */
  kind: string;
  /** How often it is started at most, counting the first time. */
  maxAttempts: number;
  /** Turns a stored payload back into its type; throws when it is not one. */
  parse(payload: unknown): Payload;
}

/** Priorities as the graph names them, and what they are in a job's row: higher runs first. */
export const PRIORITIES = { LOW: -10, NORMAL: 0, HIGH: 10 } as const;
export type JobPriority = keyof typeof PRIORITIES;

/** The graph's name of a row's priority. */
export function priorityOf({ priority }: Pick<Job, 'priority'>): JobPriority {
  if (priority === PRIORITIES.NORMAL) return 'NORMAL';
  return priority > PRIORITIES.NORMAL ? 'HIGH' : 'LOW';
}

/** Why a job, or one attempt of it, did not succeed. */
export interface JobFailure {
  /** As in the graph's ErrorCode enum. */
  code: string;
  /** For the job's owner: what happened and what to do. */
  message: string;
  /** Whether trying the same again may help. */
  retryable: boolean;
}

/** A job's state at one moment, as it travels in the owner's topic. */
export interface JobSnapshot {
  jobId: string;
  kind: string;
  subjectId: string;
  state: JobState;
  stage: string | null;
  progress: number;
  attempt: number;
  maxAttempts: number;
  priority: JobPriority;
  expectedAt: string | null;
  error: JobFailure | null;
}

/** What the end of a job tells everybody: the topic that durable consumers follow. */
export interface FinishedJob extends JobSnapshot {
  ownerId: string;
}

/** All changes of one owner's jobs. */
export const jobsTopic = topicFamily<JobSnapshot>('jobs');
/** Every job that ended, of all owners. */
export const finishedJobsTopic: Topic<FinishedJob> = { name: 'jobs.finished' };

export const FINAL_STATES: readonly JobState[] = ['SUCCEEDED', 'FAILED', 'CANCELED'];

export function snapshotOf(job: Job): JobSnapshot {
  return {
    jobId: job.id,
    kind: job.kind,
    subjectId: job.subjectId,
    state: job.state,
    stage: job.stage,
    progress: job.progress,
    attempt: job.attempt,
    maxAttempts: job.maxAttempts,
    priority: priorityOf(job),
    expectedAt: job.expectedAt?.toISOString() ?? null,
    error:
      job.errorCode === null || job.state === 'SUCCEEDED'
        ? null
        : { code: job.errorCode, message: job.errorMessage ?? '', retryable: job.errorRetryable ?? false },
  };
}

/** A job to be written. */
export interface NewJob<Payload> {
  id?: string;
  ownerId: string;
  subjectId: string;
  payload: Payload;
  /** The same for all jobs of one call, which are then told as one; default null. */
  callId?: string | null;
  /** See {@link PRIORITIES}; default NORMAL. */
  priority?: number;
  /** Ids of jobs of the same owner that must succeed first; while one has not, this one is WAITING. */
  needs?: readonly string[];
  /** How much there is to do, a whole number in the unit of its kind: milliseconds of media, characters. */
  size?: number | null;
}

/**
 * Writes a job and its first event in the caller's transaction; the dispatcher hands it to the queue when it has committed
 * and the jobs it needs have succeeded. Nothing runs if that rolls back, and nothing is lost once it commits. Call it last:
 * it appends to the owner's topics. What the job costs (see {@link priceOf}) is held of the owner's credits. Throws
 * {@link NeedError} for a need that is not there or can no longer succeed, `InsufficientCredits`.
 */
export async function createJob<Payload extends object>(
  tx: PlatformTransaction,
  events: EventLog,
  definition: JobDefinition<Payload>,
  job: NewJob<Payload>,
): Promise<Job> {
  const needs = [...new Set(job.needs)];
  const isReady = await needsHaveSucceeded(tx, job.ownerId, needs);
  const { id = newId('job'), ownerId, size = null } = job;
  const credits = priceOf(definition.kind, size);
  if (credits !== null) await hold(tx, { ownerId, jobId: id, credits });
  const row = await tx.job.create({
    data: {
      id,
      kind: definition.kind,
      ownerId,
      subjectId: job.subjectId,
      callId: job.callId ?? null,
      payload: job.payload,
      state: isReady ? 'QUEUED' : 'WAITING',
      priority: job.priority ?? PRIORITIES.NORMAL,
      size,
      credits: credits ?? 0,
      maxAttempts: definition.maxAttempts,
      attemptsGiven: definition.maxAttempts,
      needs: { create: needs.map((neededId) => ({ neededId })) },
    },
  });
  if (isReady) await putInLine(tx, row);
  await announce(tx, events, row);
  if (row.credits > 0) await announceCredits(tx, events, ownerId);
  return row;
}

/** Writes the outbox entry of a queued job, due after `delayMs` by the database's clock; an earlier entry is replaced. */
export async function putInLine(
  tx: PlatformTransaction,
  job: Pick<Job, 'id' | 'ownerId' | 'priority'>,
  delayMs = 0,
): Promise<void> {
  await tx.$executeRaw`
    insert into platform.job_outbox (job_id, owner_id, priority, run_at)
    values (${job.id}, ${job.ownerId}, ${job.priority}, now() + ${delayMs} * interval '1 millisecond')
        on conflict (job_id) do update set priority = excluded.priority, run_at = excluded.run_at, taken_at = null`;
}

/** Appends the job's state to its owner's topic, and to the topic of finished jobs when it has ended. */
export async function announce(tx: PlatformTransaction, events: EventLog, job: Job): Promise<void> {
  // Topics are always taken in this order, so two transactions can never wait for each other.
  await events.append(tx, jobsTopic(job.ownerId), snapshotOf(job));
  if (FINAL_STATES.includes(job.state))
    await events.append(tx, finishedJobsTopic, { ...snapshotOf(job), ownerId: job.ownerId });
}
