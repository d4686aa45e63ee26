import type { PlatformTransaction } from '../database/database';
import type { Job, JobState } from '../database/prisma-client/client';
import type { EventLog } from '../events/event-log';
import { topicFamily, type Topic } from '../events/topic';
import { newId } from '../ids';

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
  /** See {@link PRIORITIES}; default NORMAL. */
  priority?: number;
  /** Ids of jobs of the same owner that must succeed first; while one has not, this one is WAITING. */
  needs?: readonly string[];
  /** How much there is to do, in the unit of its kind: milliseconds of media, characters. */
  size?: number | null;
}

/**
 * Writes a job, its outbox entry and its first event in the caller's transaction. Nothing runs if that rolls back, and
 * nothing is lost once it commits. Call it last: it appends to the owner's topic.
 */
export async function createJob<Payload extends object>(
  tx: PlatformTransaction,
  events: EventLog,
  definition: JobDefinition<Payload>,
  job: NewJob<Payload>,
): Promise<Job> {
  const row = await tx.job.create({
    data: {
      id: job.id ?? newId('job'),
      kind: definition.kind,
      ownerId: job.ownerId,
      subjectId: job.subjectId,
      payload: job.payload,
      priority: job.priority ?? 0,
      maxAttempts: definition.maxAttempts,
    },
  });
  await tx.jobOutbox.create({ data: { jobId: row.id } });
  await announce(tx, events, row);
  return row;
}

/**
 * Asks for a job to stop. Answers the job as it is now, or null when the owner has no such job. A worker ends it:
 * at once when it only waits, within its heartbeat when it runs. A job that has ended stays as it is.
 */
export async function requestCancel(
  tx: PlatformTransaction,
  events: EventLog,
  options: { jobId: string; ownerId: string },
): Promise<Job | null> {
  const changed = await tx.job.updateManyAndReturn({
    where: { id: options.jobId, ownerId: options.ownerId, state: { in: ['QUEUED', 'RUNNING'] } },
    data: { state: 'CANCELING' },
  });
  const [job] = changed;
  if (!job) return tx.job.findFirst({ where: { id: options.jobId, ownerId: options.ownerId } });
  await announce(tx, events, job);
  return job;
}

/** Appends the job's state to its owner's topic, and to the topic of finished jobs when it has ended. */
export async function announce(tx: PlatformTransaction, events: EventLog, job: Job): Promise<void> {
  // Topics are always taken in this order, so two transactions can never wait for each other.
  await events.append(tx, jobsTopic(job.ownerId), snapshotOf(job));
  if (FINAL_STATES.includes(job.state))
    await events.append(tx, finishedJobsTopic, { ...snapshotOf(job), ownerId: job.ownerId });
}
