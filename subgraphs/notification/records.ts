import type { PlatformTransaction, SliceDatabase, SliceTransaction } from '../../platform/database/database';
import type { Notification, Prisma } from '../../platform/database/prisma-client/client';
import type { Topic } from '../../platform/events/topic';
import { FINAL_STATES, type Job, type JobState } from '../../platform/jobs/job';
import type { ChainJob } from './job-news';

export type NotificationRow = Notification;

export const NOTIFICATION_MODELS = ['notification', 'job'] as const;
type NotificationModel = (typeof NOTIFICATION_MODELS)[number];
type NotificationDatabase = SliceDatabase<NotificationModel>;
export type NotificationTransaction = SliceTransaction<NotificationModel>;

export type Mark = 'SEEN' | 'READ' | 'UNREAD' | 'ARCHIVED' | 'UNARCHIVED';

/** Which notifications a mark would change, and how. */
const MARKS: Record<Mark, { unlike: Prisma.NotificationWhereInput; set: (at: Date) => Partial<NotificationRow> }> = {
  SEEN: { unlike: { seenAt: null }, set: (seenAt) => ({ seenAt }) },
  READ: { unlike: { readAt: null }, set: (readAt) => ({ readAt }) },
  UNREAD: { unlike: { readAt: { not: null } }, set: () => ({ readAt: null }) },
  ARCHIVED: { unlike: { archivedAt: null }, set: (archivedAt) => ({ archivedAt }) },
  UNARCHIVED: { unlike: { archivedAt: { not: null } }, set: () => ({ archivedAt: null }) },
};

/** Every query of the notification slice. */
export class NotificationRecords {
  constructor(private readonly database: NotificationDatabase) {}

  transaction<Result>(work: (tx: NotificationTransaction) => Promise<Result>): Promise<Result> {
    return this.database.transaction(work);
  }

  /** A transaction whose queries all see one moment of the database; it cannot write. */
  momentOf<Result>(work: (tx: NotificationTransaction) => Promise<Result>): Promise<Result> {
    return this.database.momentOf(work);
  }

  /** Newest first, below `beforeId`. */
  notifications(
    ownerId: string,
    filter: { unreadOnly: boolean; archived: boolean },
    take: number,
    beforeId: string | null,
    tx: Pick<NotificationDatabase, 'notification'> = this.database,
  ): Promise<NotificationRow[]> {
    return tx.notification.findMany({
      where: {
        ownerId,
        archivedAt: filter.archived ? { not: null } : null,
        ...(filter.unreadOnly ? { readAt: null } : {}),
        ...(beforeId === null ? {} : { id: { lt: beforeId } }),
      },
      orderBy: { id: 'desc' },
      take,
    });
  }

  notificationsByIds(
    ownerId: string,
    ids: readonly string[],
    tx: Pick<NotificationDatabase, 'notification'> = this.database,
  ): Promise<NotificationRow[]> {
    return tx.notification.findMany({ where: { ownerId, id: { in: [...ids] } } });
  }

  unreadCount(ownerId: string): Promise<number> {
    return this.database.notification.count({ where: { ownerId, readAt: null, archivedAt: null } });
  }

  /** Writes a notification unless the owner has been told of this already; answers whether it is new. */
  async insertOnce(
    tx: PlatformTransaction,
    notification: Omit<NotificationRow, 'seenAt' | 'readAt' | 'archivedAt' | 'createdAt'>,
  ): Promise<boolean> {
    // An event consumer's transaction shows only the platform's models, because no slice opened it; it holds all.
    const { count } = await (tx as NotificationTransaction).notification.createMany({
      data: [notification],
      skipDuplicates: true,
    });
    return count === 1;
  }

  /** The job and all that it needs, that need it or that the same call has made, directly or through others, oldest first. */
  chainOf(tx: PlatformTransaction, jobId: string): Promise<ChainJob[]> {
    return tx.$queryRaw<ChainJob[]>`
      with recursive chain (id) as (
        select ${jobId} union
        select other.id from chain cross join lateral (
          select needed_id from platform.job_need where job_id = chain.id union all
          select job_id from platform.job_need where needed_id = chain.id union all
          select same.id from platform.job mine join platform.job same using (call_id) where mine.id = chain.id
        ) other (id))
      select job.id, job.kind, job.state::text as state from chain join platform.job job using (id) order by job.id`;
  }

  /** Ids, newest first and below `belowId`, of the notifications written before `before` that the mark would change. */
  async unlike(
    ownerId: string,
    as: Mark,
    options: { before: Date | null; belowId: string | null; take: number },
  ): Promise<string[]> {
    const rows = await this.database.notification.findMany({
      where: {
        ownerId,
        ...MARKS[as].unlike,
        ...(options.before ? { createdAt: { lt: options.before } } : {}),
        ...(options.belowId === null ? {} : { id: { lt: options.belowId } }),
      },
      select: { id: true },
      orderBy: { id: 'desc' },
      take: options.take,
    });
    return rows.map((row) => row.id);
  }

  /** Marks those of the owner's notifications that are not so yet; answers the ones it changed, oldest first. */
  async mark(tx: NotificationTransaction, ownerId: string, ids: string[], as: Mark): Promise<NotificationRow[]> {
    // Locked in one order, so that two marks of the same notifications wait for each other instead of deadlocking.
    await tx.$queryRaw`
      select 1 from notification.notification where owner_id = ${ownerId} and id = any(${ids}) order by id for no key update`;
    const own = { ownerId, id: { in: ids } };
    const at = new Date();
    if (as === 'READ') await tx.notification.updateMany({ where: { ...own, seenAt: null }, data: { seenAt: at } });
    const changed = await tx.notification.updateManyAndReturn({
      where: { ...own, ...MARKS[as].unlike },
      data: MARKS[as].set(at),
    });
    return changed.sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  /** Newest first, below `beforeId`. */
  jobs(
    ownerId: string,
    filter: { kinds: readonly string[] | null; states: readonly JobState[] | null; subjectId: string | null },
    take: number,
    beforeId: string | null,
  ): Promise<Job[]> {
    return this.database.job.findMany({
      where: {
        ownerId,
        ...(filter.kinds ? { kind: { in: [...filter.kinds] } } : {}),
        ...(filter.states ? { state: { in: [...filter.states] } } : {}),
        ...(filter.subjectId === null ? {} : { subjectId: filter.subjectId }),
        ...(beforeId === null ? {} : { id: { lt: beforeId } }),
      },
      orderBy: { id: 'desc' },
      take,
    });
  }

  /** All of the owner's notifications, oldest first, behind `afterId`. */
  notificationsAfter(ownerId: string, take: number, afterId: string): Promise<NotificationRow[]> {
    return this.database.notification.findMany({
      where: { ownerId, id: { gt: afterId } },
      orderBy: { id: 'asc' },
      take,
    });
  }

  /** All of the owner's jobs, oldest first, behind `afterId`. */
  jobsAfter(ownerId: string, take: number, afterId: string): Promise<Job[]> {
    return this.database.job.findMany({ where: { ownerId, id: { gt: afterId } }, orderBy: { id: 'asc' }, take });
  }

  /** Deletes some of the owner's jobs, whatever state they are in, but one; answers how many. */
  async deleteJobs(tx: PlatformTransaction, ownerId: string, butId: string, take: number): Promise<number> {
    const where = { ownerId, id: { not: butId } };
    const jobs = await tx.job.findMany({ where, select: { id: true }, orderBy: { id: 'asc' }, take });
    const ids = jobs.map(({ id }) => id);
    await tx.jobOutbox.deleteMany({ where: { jobId: { in: ids } } });
    return (await tx.job.deleteMany({ where: { id: { in: ids } } })).count;
  }

  async deleteNotifications(tx: NotificationTransaction, ownerId: string): Promise<number> {
    return (await tx.notification.deleteMany({ where: { ownerId } })).count;
  }

  /** Waits for what the consumer is at, and lets it take nothing more until the transaction ends. */
  async lockConsumer(tx: PlatformTransaction, consumer: string): Promise<void> {
    await tx.$queryRaw`select 1 from platform.event_consumer where consumer = ${consumer} for update`;
  }

  /** Removes the ends of the owner's jobs from what consumers are told. */
  async forgetFinishedJobs(tx: PlatformTransaction, { name }: Topic<unknown>, ownerId: string): Promise<void> {
    await tx.$executeRaw`delete from platform.event where topic = ${name} and payload ->> 'ownerId' = ${ownerId}`;
  }

  /** The kinds of the owner's jobs among these ids. */
  async jobKinds(ownerId: string, ids: readonly string[]): Promise<Map<string, string>> {
    const where = { ownerId, id: { in: [...ids] } };
    const rows = await this.database.job.findMany({ where, select: { id: true, kind: true } });
    return new Map(rows.map(({ id, kind }) => [id, kind]));
  }

  async ownedJobIds(ownerId: string, ids: string[]): Promise<string[]> {
    const rows = await this.database.job.findMany({ where: { ownerId, id: { in: ids } }, select: { id: true } });
    return rows.map((row) => row.id);
  }

  /** The named jobs of the owner, or all that have not ended; oldest first. */
  followedJobs(tx: NotificationTransaction, ownerId: string, ids: readonly string[] | null): Promise<Job[]> {
    return tx.job.findMany({
      where: { ownerId, ...(ids ? { id: { in: [...ids] } } : { state: { notIn: [...FINAL_STATES] } }) },
      orderBy: { id: 'asc' },
    });
  }
}
