import type { EventLog } from '../../../platform/events/event-log';
import type { CallIdentity } from '../../../platform/identity/viewer';
import type { Attempts } from '../attempts';
import { recordAudit } from '../audit/audit-log';
import { announceAccess, announceViewer } from '../events';
import { issueToken, useToken } from '../one-time-tokens';
import type { UserRow, UsersTransaction } from '../records';
import { MAIL_LIMIT, RESET_MS, SIGN_IN_LIMIT } from './account-limits';
import type { AccountMails } from './account-mails';
import type { AccountRecords } from './account-records';
import { possibleEmailKey } from './email-address';
import { checkedPassword } from './checked-password';
import { lockOut } from './lock-out';
import { hashPassword } from './passwords';
import { passwordChangedNotice } from './password-change';
import type { EndAllSessions } from './sign-in';
import { answerSteadily } from './steady-answer';
import { invalidToken } from './token-problems';

/** A new password for whoever can read the account's mails. */
export class PasswordReset {
  constructor(
    private readonly parts: {
      records: AccountRecords;
      attempts: Attempts;
      mails: AccountMails;
      events: EventLog;
      endAllSessions: EndAllSessions;
      clock: () => Date;
      steadyMs: number;
      passwordCost: number;
    },
  ) {}

  /** Sends the mail with the link; does nothing, and looks the same, for an address without an account. */
  async ask(email: string, identity: CallIdentity): Promise<void> {
    const { records, attempts, steadyMs } = this.parts;
    await answerSteadily(steadyMs, async () => {
      const emailKey = possibleEmailKey(email);
      if (emailKey === null) return;
      const { waitMs } = await attempts.tryCounting(MAIL_LIMIT, `reset:${emailKey}`);
      if (waitMs !== null) return;
      await records.transaction(async (tx) => {
        const user = await records.userByEmailKey(tx, emailKey);
        if (user) await this.parts.mails.passwordReset(tx, user, await this.issue(tx, user));
        await recordAudit(tx, identity, { action: 'password.resetAsked', subjectId: user?.id ?? null });
      });
    });
  }

  /** A token that sets the account's password, for a mail to its address. */
  async issue(tx: UsersTransaction, user: UserRow): Promise<string> {
    const { token } = await issueToken(tx, this.parts.clock(), {
      kind: 'RESET_PASSWORD',
      userId: user.id,
      data: { emailKey: user.emailKey },
      lifetimeMs: RESET_MS,
    });
    return token;
  }

  /**
   * Sets the password with the token of a mail, which also proves the address; other such links are worth nothing then.
   * With `endSessions` all sessions end, and devices are not trusted any more; where the address was not proven before they
   * end in any case, and keys for programs are revoked. Throws INVALID_TOKEN, and WEAK_PASSWORD,
   * after which the token still works.
   */
  async reset(
    input: { token: string; newPassword: string; endSessions: boolean },
    identity: CallIdentity,
  ): Promise<void> {
    const { records, attempts, clock, passwordCost } = this.parts;
    const owner = await records.userOfToken(input.token, 'RESET_PASSWORD', clock());
    if (!owner) throw invalidToken();
    const passwordHash = await hashPassword(checkedPassword(input.newPassword, owner, 'newPassword'), passwordCost);
    await records.transaction(async (tx) => {
      const locked = await records.lockTokenAndUser(tx, input.token, ['RESET_PASSWORD'], clock());
      if (!locked || (locked.token.data as { emailKey: string }).emailKey !== locked.user.emailKey)
        throw invalidToken();
      await useToken(tx, clock(), locked.token);
      await this.write(tx, locked.user, { passwordHash, endSessions: input.endSessions }, identity);
    });
    // Whoever forgot the password has tried some before.
    await attempts.clear(SIGN_IN_LIMIT, owner.emailKey);
  }

  private async write(
    tx: UsersTransaction,
    user: UserRow,
    { passwordHash, endSessions }: { passwordHash: string; endSessions: boolean },
    identity: CallIdentity,
  ): Promise<void> {
    const { records, mails, events, endAllSessions, clock } = this.parts;
    const now = clock();
    await records.update(tx, user.id, { passwordHash, emailVerifiedAt: user.emailVerifiedAt ?? now });
    await records.voidTokens(tx, user.id, ['VERIFY_EMAIL', 'RESET_PASSWORD', 'MFA_CHALLENGE'], now);
    if (endSessions || !user.emailVerifiedAt) await records.forgetDevices(tx, user.id);
    await mails.notice(tx, user, passwordChangedNotice(user));
    await recordAudit(tx, identity, {
      action: 'password.reset',
      actorId: user.id,
      subjectId: user.id,
      metadata: { endSessions },
    });
    // Whoever has used the account until now may not be who owns the address.
    const ended = !user.emailVerifiedAt
      ? await lockOut(tx, user.id, now)
      : endSessions
        ? await endAllSessions(tx, user.id, null, identity)
        : [];
    await announceViewer(tx, events, user.id, 'SECURITY');
    await announceAccess(tx, events, ended);
  }
}
