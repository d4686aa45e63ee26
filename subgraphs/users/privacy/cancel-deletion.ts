import type { EventLog } from '../../../platform/events/event-log';
import type { CallIdentity } from '../../../platform/identity/viewer';
import { requestCancel } from '../../../platform/jobs/job-commands';
import { SignInRefused } from '../accounts/sign-in';
import { recordAudit } from '../audit/audit-log';
import { lockUserAndDeletion, type UserRow, type UsersTransaction } from '../records';
import { isBeingDeleted, type PrivacyRecords } from './privacy-records';

/**
 * Calls off the deletion of an account whose owner signs in, and answers the account as it is then. Throws
 * {@link SignInRefused} when the deletion has begun: there is nothing left to sign in to.
 */
export async function cancelDeletion(
  { records, events }: { records: PrivacyRecords; events: EventLog },
  tx: UsersTransaction,
  { id, deletionJobId }: Pick<UserRow, 'id' | 'deletionJobId'>,
  identity: CallIdentity,
): Promise<UserRow> {
  // The job takes both, too: one of the two waits here, and sees what the other has done.
  const user = await lockUserAndDeletion(tx, id);
  if (!user || isBeingDeleted(user)) throw new SignInRefused(null);
  if (user.status !== 'PENDING_DELETION') return user;
  await records.reopen(tx, { id });
  await recordAudit(tx, identity, { action: 'account.deletionCanceled', actorId: id, subjectId: id });
  if (deletionJobId) await requestCancel(tx, events, { jobId: deletionJobId, ownerId: id });
  return tx.user.findUniqueOrThrow({ where: { id } });
}
