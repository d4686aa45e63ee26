import { UserProblemError } from '../../../platform/errors';
import type { EventLog } from '../../../platform/events/event-log';
import type { CallIdentity, Viewer } from '../../../platform/identity/viewer';
import type { Attempts } from '../attempts';
import { recordAudit } from '../audit/audit-log';
import type { UsersProblemCode } from '../errors';
import { announceAccess, announceViewer } from '../events';
import { accountGone } from '../profile/account-gone';
import type { UserRecords, UserRow, UsersTransaction } from '../records';
import { requireFreshProof } from '../sessions/fresh-proof';
import { CHANGE_LIMIT } from './account-limits';
import type { AccountMails, Notice } from './account-mails';
import type { AccountRecords } from './account-records';
import { checkedPassword } from './checked-password';
import { lockedAccount } from './locked-account';
import { hashPassword, verifyPassword } from './passwords';
import type { EndAllSessions } from './sign-in';

export interface PasswordChangeInput {
  currentPassword: string | null;
  newPassword: string;
  endOtherSessions: boolean;
}

/** A new password for whoever knows the present one. */
export class PasswordChange {
  constructor(
    private readonly parts: {
      users: UserRecords;
      records: AccountRecords;
      attempts: Attempts;
      mails: AccountMails;
      events: EventLog;
      endAllSessions: EndAllSessions;
      clock: () => Date;
      passwordCost: number;
    },
  ) {}

  /**
   * Changes the viewer's password and ends the other sessions if wanted. An account that has none sets its first one with
   * a fresh proof. Throws INVALID_CREDENTIALS, REAUTHENTICATION_REQUIRED, WEAK_PASSWORD, RATE_LIMITED, and CONFLICT when
   * it was changed by somebody else in that moment.
   */
  async change(viewer: Viewer, input: PasswordChangeInput, identity: CallIdentity): Promise<UserRow> {
    const { records, passwordCost } = this.parts;
    const user = (await records.userById(viewer.userId)) ?? accountGone();
    await this.prove(viewer, user, input.currentPassword);
    const passwordHash = await hashPassword(checkedPassword(input.newPassword, user, 'newPassword'), passwordCost);
    return records.transaction(async (tx) => {
      const locked = await lockedAccount(tx, user.id);
      if (locked.passwordHash !== user.passwordHash) throw changedMeanwhile();
      return this.write(
        tx,
        { user: locked, passwordHash, keep: input.endOtherSessions ? viewer.sessionId : 'all' },
        identity,
      );
    });
  }

  private async prove(viewer: Viewer, user: UserRow, currentPassword: string | null): Promise<void> {
    const { users, attempts, clock } = this.parts;
    if (user.passwordHash === null) return requireFreshProof(users, viewer, clock());
    // A stolen session must not be good for guessing.
    await attempts.count(CHANGE_LIMIT, user.id);
    if (currentPassword === null || !(await verifyPassword(currentPassword, user.passwordHash))) throw wrongPassword();
    await attempts.clear(CHANGE_LIMIT, user.id);
  }

  private async write(
    tx: UsersTransaction,
    { user, passwordHash, keep }: { user: UserRow; passwordHash: string; keep: string },
    identity: CallIdentity,
  ): Promise<UserRow> {
    const { records, mails, events, endAllSessions, clock } = this.parts;
    const changed = await records.update(tx, user.id, { passwordHash });
    await records.voidTokens(tx, user.id, ['RESET_PASSWORD', 'MFA_CHALLENGE'], clock());
    await mails.notice(tx, user, passwordChangedNotice(user));
    await recordAudit(tx, identity, { action: 'password.changed', subjectId: user.id });
    const ended = keep === 'all' ? [] : await endAllSessions(tx, user.id, keep, identity);
    await announceViewer(tx, events, user.id, 'SECURITY');
    await announceAccess(tx, events, ended);
    return changed;
  }
}

/** Tells the owner of an account that its password is a new one. */
export function passwordChangedNotice({ passwordHash }: UserRow): Notice {
  return {
    subject: passwordHash === null ? 'Your account has a password now' : 'Your password was changed',
    text:
      passwordHash === null
        ? 'a password was set for your account, which had none before.'
        : 'the password of your account was changed.',
  };
}

function wrongPassword(): UserProblemError<UsersProblemCode> {
  return new UserProblemError({
    code: 'INVALID_CREDENTIALS',
    message: 'This is not the present password of the account.',
    path: ['input', 'currentPassword'],
  });
}

function changedMeanwhile(): UserProblemError<UsersProblemCode> {
  return new UserProblemError({ code: 'CONFLICT', message: 'The password was changed in this moment. Try again.' });
}
