import type { EventLog } from '../../platform/events/event-log';
import type { CallIdentity } from '../../platform/identity/viewer';
import { recordAudit, type AuditEntry } from './audit/audit-log';
import { announceViewer } from './events';
import type { UserRow, UsersTransaction } from './records';

/** What an account's owner is told by mail, in case it was not they who did it. */
export interface SecurityNotice {
  subject: string;
  /** Plain text, one sentence or two. */
  text: string;
}
/** Queues the mail in the transaction of what it tells. */
export type NotifyOwner = (tx: UsersTransaction, user: UserRow, notice: SecurityNotice) => Promise<void>;

/** What a change of how an account is entered leaves behind: an audit event, a mail, and news for its devices. */
export class SecurityTrail {
  constructor(
    private readonly events: EventLog,
    private readonly notify: NotifyOwner,
  ) {}

  /** At the end of the transaction of the change, before its access changes. */
  async leave(
    tx: UsersTransaction,
    identity: CallIdentity,
    user: UserRow,
    { audit, notice }: { audit: AuditEntry; notice: SecurityNotice },
  ): Promise<void> {
    await recordAudit(tx, identity, audit);
    await this.notify(tx, user, notice);
    await announceViewer(tx, this.events, user.id, 'SECURITY');
  }
}
