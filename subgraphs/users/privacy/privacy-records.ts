import type { Counts } from '../../../platform/account-data';
import type { AccountReceipt } from '../../../platform/database/prisma-client/client';
import { FINAL_STATES, type Job } from '../../../platform/jobs/job';
import type { UserRow, UsersDatabase, UsersTransaction } from '../records';
import { ACCOUNT_JOB_KINDS, type AccountJobKind } from './jobs/kinds';

export type AccountJobRow = Job;
export type AccountReceiptRow = AccountReceipt;

/** What the key of an address becomes when its account's deletion has begun: no address reads so, and it is free again. */
const BEGUN_PREFIX = 'deleted:';

/** Whether the deletion of the account has begun: it cannot be called off any more. */
export function isBeingDeleted({ emailKey }: Pick<UserRow, 'emailKey'>): boolean {
  return emailKey.startsWith(BEGUN_PREFIX);
}

/** Queries for jobs on whole accounts, and the accounts they are about. */
export class PrivacyRecords {
  constructor(private readonly database: UsersDatabase) {}

  transaction<Result>(work: (tx: UsersTransaction) => Promise<Result>): Promise<Result> {
    return this.database.transaction(work);
  }

  /** The owner's jobs on its account among these ids. */
  accountJobs(ids: readonly string[], ownerId: string): Promise<AccountJobRow[]> {
    return this.transaction((tx) =>
      tx.job.findMany({ where: { id: { in: [...ids] }, ownerId, kind: { in: [...ACCOUNT_JOB_KINDS] } } }),
    );
  }

  /** A job of the owner that has not ended; null without one. */
  jobUnderWay(tx: UsersTransaction, ownerId: string, kind: AccountJobKind): Promise<AccountJobRow | null> {
    return tx.job.findFirst({ where: { ownerId, kind, state: { notIn: [...FINAL_STATES] } } });
  }

  /** Takes away all that could sign in, gives the address free, and forgets what was answered to the account's other jobs. */
  async closeForGood(tx: UsersTransaction, userId: string, jobId: string): Promise<void> {
    const emailKey = BEGUN_PREFIX + userId;
    await tx.user.update({ where: { id: userId }, data: { emailKey, passwordHash: null } });
    await tx.identity.deleteMany({ where: { userId } });
    await tx.oneTimeToken.deleteMany({ where: { userId } });
    await tx.$executeRaw`
      delete from users.account_receipt where job_id in (
        select id from platform.job where owner_id = ${userId} and kind = any(${[...ACCOUNT_JOB_KINDS]}) and id <> ${jobId})`;
  }

  /** Makes an account usable whose deletion has not begun. */
  async reopen(tx: UsersTransaction, where: { id: string; deletesAt?: Date }): Promise<void> {
    await tx.user.updateMany({
      where: { ...where, status: 'PENDING_DELETION', NOT: { emailKey: { startsWith: BEGUN_PREFIX } } },
      data: { status: 'ACTIVE', deletesAt: null, deletionJobId: null },
    });
  }

  /** Adds to what a subgraph has answered so far. */
  async addToReceipt(tx: UsersTransaction, key: { jobId: string; subgraph: string }, counts: Counts): Promise<void> {
    const earlier = await tx.accountReceipt.findUnique({ where: { jobId_subgraph: key } });
    const sums = { ...(earlier?.counts as Counts | undefined) };
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
    await this.writeReceipt(tx, key, sums);
  }

  /** Writes what a subgraph has answered, in place of what it had before. */
  async writeReceipt(
    tx: UsersTransaction,
    { jobId, subgraph }: { jobId: string; subgraph: string },
    counts: Counts,
  ): Promise<void> {
    const now = { counts: { ...counts }, at: new Date() };
    await tx.accountReceipt.upsert({
      where: { jobId_subgraph: { jobId, subgraph } },
      create: { jobId, subgraph, ...now },
      update: now,
    });
  }

  /** In the order in which they were given. */
  receipts(jobIds: readonly string[]): Promise<AccountReceiptRow[]> {
    return this.database.accountReceipt.findMany({
      where: { jobId: { in: [...jobIds] } },
      orderBy: [{ at: 'asc' }, { subgraph: 'asc' }],
    });
  }

  /** By job: the file it has packed, while that is kept. */
  async archives(jobIds: readonly string[]): Promise<Map<string, string>> {
    const rows = await this.transaction((tx) =>
      tx.storedObject.findMany({ where: { partOf: { in: [...jobIds] } }, select: { id: true, partOf: true } }),
    );
    return new Map(rows.map(({ id, partOf }) => [partOf!, id]));
  }

  /** Ids of archives that were packed before that, some at a time. */
  async archivesPackedBefore(instant: Date, take: number): Promise<string[]> {
    const rows = await this.database.$queryRaw<{ id: string }[]>`
      select object.id from platform.job job join platform.object object on object.part_of = job.id
       where job.kind = 'EXPORT_ACCOUNT' and job.state = 'SUCCEEDED' and job.finished_at < ${instant} limit ${take}`;
    return rows.map(({ id }) => id);
  }

  /** Deletion jobs that have ended without deleting the account that waits for it. */
  stuckDeletions(): Promise<{ jobId: string; ownerId: string }[]> {
    return this.database.$queryRaw<{ jobId: string; ownerId: string }[]>`
      select job.id as "jobId", job.owner_id as "ownerId" from users."user" u join platform.job job on job.id = u.deletion_job_id
       where u.status = 'PENDING_DELETION' and job.state in ('FAILED', 'CANCELED')`;
  }
}
