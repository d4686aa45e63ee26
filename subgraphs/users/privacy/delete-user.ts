import type { Counts } from '../../../platform/account-data';
import { removeTopics } from '../../../platform/events/remove-topics';
import { recordAudit } from '../audit/audit-log';
import { viewerTopic } from '../events';
import type { UserRow, UsersTransaction } from '../records';

/**
 * Deletes an account with its sessions, proofs, keys, credits and mails, in the transaction that ends the job. Of the audit
 * log the events stay, as ids without names: what tells where the person was, and what was written, is wiped.
 */
export async function deleteUser(tx: UsersTransaction, { id, email }: UserRow, jobId: string): Promise<Counts> {
  const own = { where: { userId: id } };
  const counts = {
    accounts: 1,
    sessions: await tx.session.count(own),
    apiKeys: await tx.apiKey.count(own),
    mfaFactors: await tx.mfaFactor.count(own),
    creditEntries: await tx.creditEntry.count({ where: { ownerId: id } }),
    mails: (await tx.mail.deleteMany({ where: { recipient: email } })).count,
    auditEventsWiped: await wipeAuditEvents(tx, id),
  };
  await tx.creditAccount.deleteMany({ where: { ownerId: id } });
  await tx.idempotencyKey.deleteMany({ where: { ownerId: id } });
  await tx.user.delete({ where: { id } });
  await recordAudit(tx, { viewer: null, requestId: jobId }, { action: 'account.deleted', actorId: id, subjectId: id });
  await removeTopics(tx, [viewerTopic(id)]);
  return counts;
}

async function wipeAuditEvents(tx: UsersTransaction, id: string): Promise<number> {
  return tx.$executeRaw`
    update users.audit_event set ip_address = null, metadata = '{}'
     where (actor_id = ${id} or subject_id = ${id} or metadata ->> 'userId' = ${id}) and (ip_address is not null or metadata <> '{}')`;
}
