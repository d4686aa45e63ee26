import { UserProblemError } from '../../../platform/errors';
import type { EventLog } from '../../../platform/events/event-log';
import type { CallIdentity, Viewer } from '../../../platform/identity/viewer';
import type { Attempts } from '../attempts';
import { recordAudit } from '../audit/audit-log';
import type { UsersProblemCode } from '../errors';
import { announceViewer } from '../events';
import { issueToken, type OneTimeTokenRow } from '../one-time-tokens';
import { accountGone } from '../profile/account-gone';
import type { UserRecords, UserRow, UsersTransaction } from '../records';
import { requireFreshProof } from '../sessions/fresh-proof';
import { MAIL_LIMIT, VERIFICATION_MS } from './account-limits';
import type { AccountMails } from './account-mails';
import type { AccountRecords } from './account-records';
import { checkedEmail, emailKeyOf } from './email-address';
import { answerSteadily } from './steady-answer';
import { invalidToken } from './token-problems';

/** A new address for an account; it counts once it is proven. */
export class EmailChange {
  constructor(
    private readonly parts: {
      users: UserRecords;
      records: AccountRecords;
      attempts: Attempts;
      mails: AccountMails;
      events: EventLog;
      clock: () => Date;
      steadyMs: number;
    },
  ) {}

  /**
   * Sends a mail to the new address. Succeeds alike for one that has an account already, whose owner is told. Throws
   * REAUTHENTICATION_REQUIRED, INVALID_INPUT, RATE_LIMITED.
   */
  async ask(viewer: Viewer, text: string, identity: CallIdentity): Promise<void> {
    const { users, records, attempts, clock, steadyMs } = this.parts;
    const now = clock();
    await requireFreshProof(users, viewer, now);
    const email = checkedEmail(text);
    const user = (await records.userById(viewer.userId)) ?? accountGone();
    if (email === user.email) throw sameAddress();
    await attempts.count(MAIL_LIMIT, `change:${user.id}`);
    await answerSteadily(steadyMs, () => records.transaction((tx) => this.write(tx, user, email, now, identity)));
  }

  /** Makes the token's address the account's, in the transaction that uses the token. Throws INVALID_TOKEN. */
  async apply(tx: UsersTransaction, user: UserRow, { data }: OneTimeTokenRow, identity: CallIdentity): Promise<void> {
    const { records, mails, events, clock } = this.parts;
    const { email } = data as { email: string };
    const emailKey = emailKeyOf(email);
    const owner = await records.userByEmailKey(tx, emailKey);
    if (owner && owner.id !== user.id) throw invalidToken();
    await records.update(tx, user.id, { email, emailKey, emailVerifiedAt: clock() });
    // Whoever has the old mailbox, or was sent a link to it, has no say any more.
    await records.voidTokens(tx, user.id, ['VERIFY_EMAIL', 'CHANGE_EMAIL', 'RESET_PASSWORD'], clock());
    await mails.addressChanged(tx, user);
    await recordAudit(tx, identity, { action: 'email.changed', actorId: user.id, subjectId: user.id });
    await announceViewer(tx, events, user.id, 'EMAIL');
  }

  private async write(
    tx: UsersTransaction,
    user: UserRow,
    email: string,
    now: Date,
    identity: CallIdentity,
  ): Promise<void> {
    const { records, mails } = this.parts;
    const owner = await records.userByEmailKey(tx, emailKeyOf(email));
    if (owner && owner.id !== user.id) {
      await mails.addressTaken(tx, owner);
    } else {
      const { token } = await issueToken(tx, now, {
        kind: 'CHANGE_EMAIL',
        userId: user.id,
        data: { email },
        lifetimeMs: VERIFICATION_MS,
      });
      await mails.newAddress(tx, email, token);
    }
    await recordAudit(tx, identity, { action: 'email.changeAsked', subjectId: user.id });
  }
}

function sameAddress(): UserProblemError<UsersProblemCode> {
  return new UserProblemError({
    code: 'INVALID_INPUT',
    message: 'This is the address of the account already.',
    path: ['input', 'email'],
  });
}
