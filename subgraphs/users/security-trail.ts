import type { EventLog } from '../../platform/events/event-log';
import type { CallIdentity } from '../../platform/identity/viewer';
import type { AccountMails, Notice } from './accounts/account-mails';
import { recordAudit, type AuditEntry } from './audit/audit-log';
import { announceViewer } from './events';
import type { UserRow, UsersTransaction } from './records';

/** What a change of how an account is entered leaves behind: an audit event, a mail to its owner, and news for its devices. */
export class SecurityTrail {
  constructor(
    private readonly events: EventLog,
    private readonly mails: Pick<AccountMails, 'notice'>,
  ) {}

  /**
   * At the end of the transaction of the change, before its access changes. The address may be a stranger's while it is not
   * verified: what users have written, such as names of keys, does not belong in the notice.
   */
  async leave(
    tx: UsersTransaction,
    identity: CallIdentity,
    user: UserRow,
    { audit, notice }: { audit: AuditEntry; notice: Notice },
  ): Promise<void> {
    await recordAudit(tx, identity, audit);
    await this.mails.notice(tx, user, notice);
    await announceViewer(tx, this.events, user.id, 'SECURITY');
  }
}
