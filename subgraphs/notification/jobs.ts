import { readConnection, type Connection, type PageRequest } from '../../platform/connection';
import { SautiError, UserProblemError, type UserProblem } from '../../platform/errors';
import type { EventLog } from '../../platform/events/event-log';
import { openStream, type StreamGap, type StreamItem } from '../../platform/events/stream';
import { encodeCursor } from '../../platform/events/topic';
import { ID_PREFIXES, isId, type IdPrefix } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import {
  FINAL_STATES,
  jobsTopic,
  snapshotOf,
  type Job,
  type JobPriority,
  type JobSnapshot,
  type JobState,
} from '../../platform/jobs/job';
import { changePriority, JobCommandRefused, requestCancel, requestRetry } from '../../platform/jobs/job-commands';
import type { NotificationProblemCode } from './errors';
import type { NotificationRecords, NotificationTransaction } from './records';

/** How many jobs one subscription may name. */
const MAX_NAMED_JOBS = 100;

/** A job at one moment, and where that moment lies in the stream of its owner's jobs. */
export type JobSummary = StreamItem<JobSnapshot>;

export interface JobFilter {
  kinds?: readonly string[] | null | undefined;
  states?: readonly JobState[] | null | undefined;
  subjectId?: string | null | undefined;
}

/** The viewer's jobs of all kinds. */
export class Jobs {
  constructor(
    private readonly records: NotificationRecords,
    private readonly events: EventLog,
  ) {}

  /** A page of the viewer's jobs, newest first. */
  async list(viewer: Viewer, page: PageRequest, filter: JobFilter): Promise<Connection<JobSummary>> {
    const { kinds = null, states = null, subjectId = null } = filter;
    const moment = await this.now(viewer);
    const impossible = subjectId !== null && !isAnyId(subjectId);
    return readConnection<JobSummary>(
      page,
      ({ jobId }) => jobId,
      async (take, beforeId) => {
        const jobs = impossible
          ? []
          : await this.records.jobs(viewer.userId, { kinds, states, subjectId }, take, beforeId);
        return jobs.map((job) => ({ ...snapshotOf(job), ...moment }));
      },
    );
  }

  /** Asks for a job to stop and answers it as it is now; NOT_FOUND for a job that is unknown or somebody else's. */
  cancel(viewer: Viewer, jobId: string): Promise<JobSummary> {
    return this.command(viewer, jobId, (tx, own) => requestCancel(tx, this.events, own));
  }

  /** Starts a failed or canceled job again; NOT_FOUND as for `cancel`, INVALID_STATE for any other and when its needs have
   * failed, INSUFFICIENT_CREDITS. */
  retry(viewer: Viewer, jobId: string): Promise<JobSummary> {
    return this.command(viewer, jobId, (tx, own) => requestRetry(tx, this.events, own));
  }

  /** Moves a job that waits before or behind others; NOT_FOUND as for `cancel`, INVALID_STATE for one that does not wait. */
  prioritize(viewer: Viewer, jobId: string, priority: JobPriority): Promise<JobSummary> {
    return this.command(viewer, jobId, (tx, own) => changePriority(tx, this.events, { ...own, priority }));
  }

  /**
   * The viewer's jobs as they are and as they change; see {@link openStream} for cursors, gaps and cancellation. With `jobIds` it
   * ends once each of these jobs has. Throws NOT_FOUND for an id that is not, or no longer, one of the viewer's jobs, and
   * BAD_USER_INPUT.
   */
  follow(
    viewer: Viewer,
    options: { jobIds?: readonly string[] | null | undefined; after?: string | null | undefined },
    signal: AbortSignal,
  ): AsyncGenerator<JobSummary | StreamGap, void, void> {
    const topic = jobsTopic(viewer.userId);
    const named = options.jobIds ? checkedJobIds(options.jobIds) : null;
    const unfinished = new Set<string>();
    const note = (job: JobSnapshot): JobSnapshot => {
      if (FINAL_STATES.includes(job.state)) unfinished.delete(job.jobId);
      else unfinished.add(job.jobId);
      return job;
    };
    return openStream(
      this.events,
      topic,
      {
        present: async () => {
          const { head, jobs } = await this.present(viewer, named);
          return { head, items: jobs.map((job) => note(snapshotOf(job))) };
        },
        contentOf: (job) => (named && !named.has(job.jobId) ? null : note(job)),
        isOver: () => named !== null && unfinished.size === 0,
        ...(named ? { check: () => this.checkOwned(viewer, named) } : {}),
      },
      { after: options.after, start: 'present', signal },
    );
  }

  /**
   * The jobs a stream begins with, and the position it goes on from. Both are read from one moment: with jobs newer than
   * the position, events that follow would tell of progress that had been passed already.
   */
  private async present(viewer: Viewer, named: ReadonlySet<string> | null): Promise<{ head: number; jobs: Job[] }> {
    const present = await this.records.momentOf(async (tx) => ({
      head: await this.events.head(jobsTopic(viewer.userId), tx),
      jobs: await this.records.followedJobs(tx, viewer.userId, named && [...named]),
    }));
    for (const id of named ?? []) if (!present.jobs.some((job) => job.id === id)) throw unknownJob(id);
    return present;
  }

  private async checkOwned(viewer: Viewer, named: ReadonlySet<string>): Promise<void> {
    const owned = await this.records.ownedJobIds(viewer.userId, [...named]);
    for (const id of named) if (!owned.includes(id)) throw unknownJob(id);
  }

  private async command(
    viewer: Viewer,
    jobId: string,
    give: (tx: NotificationTransaction, own: { jobId: string; ownerId: string }) => Promise<Job | null>,
  ): Promise<JobSummary> {
    const moment = await this.now(viewer);
    const path = ['input', 'jobId'];
    try {
      const job = isId('job', jobId)
        ? await this.records.transaction((tx) => give(tx, { jobId, ownerId: viewer.userId }))
        : null;
      if (job) return { ...snapshotOf(job), ...moment };
    } catch (error) {
      if (!(error instanceof JobCommandRefused)) throw error;
      throw problem({ code: 'INVALID_STATE', message: error.message, path });
    }
    throw problem({ code: 'NOT_FOUND', message: 'You have no job with this ID.', path });
  }

  /** Read before the jobs it is given with, so that following from there can repeat a change but never miss one. */
  private async now(viewer: Viewer): Promise<Omit<JobSummary, keyof JobSnapshot>> {
    const topic = jobsTopic(viewer.userId);
    return { cursor: encodeCursor(topic, await this.events.head(topic)), at: new Date(), isSnapshot: true };
  }
}

function problem(details: UserProblem<NotificationProblemCode>): UserProblemError<NotificationProblemCode> {
  return new UserProblemError(details);
}

function checkedJobIds(ids: readonly string[]): ReadonlySet<string> {
  if (ids.length > MAX_NAMED_JOBS) {
    throw new SautiError('BAD_USER_INPUT', `"jobIds" may name at most ${MAX_NAMED_JOBS} jobs; it named ${ids.length}.`);
  }
  for (const id of ids) if (!isId('job', id)) throw unknownJob(id);
  return new Set(ids);
}

function unknownJob(id: string): SautiError {
  return new SautiError('NOT_FOUND', `You have no job with the ID "${id.slice(0, 40)}".`);
}

function isAnyId(id: string): boolean {
  return Object.keys(ID_PREFIXES).some((prefix) => isId(prefix as IdPrefix, id));
}
