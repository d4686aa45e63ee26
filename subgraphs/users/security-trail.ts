import type { EventLog } from '../../platform/events/event-log';
import type { CallIdentity } from '../../platform/identity/viewer';
import { queueMail } from '../../platform/mail/mail';
import type { Seal } from '../../platform/seal';
import { recordAudit, type AuditEntry } from './audit/audit-log';
import { announceViewer } from './events';
import type { UserRow, UsersTransaction } from './records';

/** What an account's owner is told by mail, in case it was not they who did it. */
export interface SecurityNotice {
  /** One line, without anything that users have written. */
  subject: string;
  /** Plain text, one sentence or two. */
  text: string;
}

const ADVICE = 'If this was not you, change your password at once and end your other sessions.';

/** What a change of how an account is entered leaves behind: an audit event, a mail, and news for its devices. */
export class SecurityTrail {
  constructor(
    private readonly events: EventLog,
    private readonly mailSeal: Seal,
  ) {}

  /** At the end of the transaction of the change, before its access changes. */
  async leave(
    tx: UsersTransaction,
    identity: CallIdentity,
    user: UserRow,
    { audit, notice }: { audit: AuditEntry; notice: SecurityNotice },
  ): Promise<void> {
    await recordAudit(tx, identity, audit);
    const text = `${notice.text}\n\n${ADVICE}\n`;
    await queueMail(tx, this.mailSeal, { to: user.email, kind: audit.action, subject: notice.subject, text });
    await announceViewer(tx, this.events, user.id, 'SECURITY');
  }
}
