import { queueMail } from '../../../../platform/mail/mail';
import type { Seal } from '../../../../platform/seal';
import type { AccountData, AccountDeletion } from '../../../../platform/account-data';
import { JobProblem, type JobContext, type JobHandler } from '../../../../platform/jobs/job-handler';
import type { Platform } from '../../../../platform/platform';
import { lockOut } from '../../accounts/lock-out';
import { announceAccess } from '../../events';
import { lockUser, USERS_MODELS, type UserRow, type UsersTransaction } from '../../records';
import { deletedMail } from '../account-mails';
import { deleteUser } from '../delete-user';
import { isBeingDeleted, PrivacyRecords } from '../privacy-records';
import { deleteAccountJob, type DeleteAccountPayload } from './delete-account';

/**
 * Makes the handler of DELETE_ACCOUNT jobs. It shuts the account for good, asks every slice to delete what it has, and
 * takes the account itself away together with the job's success. Whatever an attempt that was cut off has done stays done.
 */
export function createDeleteAccountHandler(options: {
  platform: Pick<Platform, 'database' | 'events'>;
  /** In the order in which they are asked. */
  slices: readonly AccountData[];
  mailSeal: Seal;
}): JobHandler<DeleteAccountPayload, UsersTransaction> {
  const { platform, slices, mailSeal } = options;
  const records = new PrivacyRecords(platform.database.slice(USERS_MODELS));
  return {
    definition: deleteAccountJob,
    async run({ userId }, context) {
      const { id: jobId } = context.job;
      context.progress(0, 'close');
      const user = await context.transaction((tx) => closeAccount(tx, userId, jobId));
      for (const [index, slice] of slices.entries()) {
        context.signal.throwIfAborted();
        context.progress(index / (slices.length + 1), 'delete');
        await askSlice(slice, context);
      }
      context.progress(slices.length / (slices.length + 1), 'delete');
      return async (tx) => {
        const counts = await deleteUser(tx, user, jobId);
        await records.addToReceipt(tx, { jobId, subgraph: 'users' }, counts);
        await queueMail(tx, mailSeal, deletedMail(user));
      };
    },
    async abandon({ userId, runsAfter }, tx, { outcome }) {
      if (outcome === 'CANCELED') await records.reopen(tx, { id: userId, deletesAt: new Date(runsAfter) });
    },
  };

  /** From here on nobody can sign in and call it off. */
  async function closeAccount(tx: UsersTransaction, userId: string, jobId: string): Promise<UserRow> {
    const user = await lockUser(tx, userId);
    if (user?.status !== 'PENDING_DELETION' || user.deletionJobId !== jobId)
      throw new JobProblem('INVALID_STATE', 'The deletion was called off.', false);
    if (isBeingDeleted(user)) return user;
    const voided = await lockOut(tx, userId, new Date());
    await records.closeForGood(tx, userId, jobId);
    await announceAccess(tx, platform.events, voided);
    return user;
  }

  async function askSlice(slice: AccountData, context: JobContext<UsersTransaction>): Promise<void> {
    const { id: jobId, ownerId } = context.job;
    const step: AccountDeletion['step'] = (work) =>
      context.transaction(async (tx) => {
        const counts = await work(tx);
        await records.addToReceipt(tx, { jobId, subgraph: slice.subgraph }, counts);
        return counts;
      });
    await slice.delete({ ownerId, jobId, step });
  }
}
