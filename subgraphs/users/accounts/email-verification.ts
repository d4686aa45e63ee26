import { isUniqueViolation } from '../../../platform/database/database';
import { UserProblemError } from '../../../platform/errors';
import type { EventLog } from '../../../platform/events/event-log';
import type { CallIdentity, Viewer } from '../../../platform/identity/viewer';
import type { Attempts } from '../attempts';
import { recordAudit } from '../audit/audit-log';
import type { UsersProblemCode } from '../errors';
import { announceViewer } from '../events';
import { issueToken, useToken, type OneTimeTokenRow } from '../one-time-tokens';
import { accountGone } from '../profile/account-gone';
import type { UserRow, UsersTransaction } from '../records';
import { MAIL_LIMIT, VERIFICATION_MS } from './account-limits';
import type { AccountMails } from './account-mails';
import type { AccountRecords } from './account-records';
import type { EmailChange } from './email-change';
import { invalidToken } from './token-problems';

/** What a sign-up wanted, kept with the token until its address is proven. */
export type PendingSignUp = Pick<UserRow, 'passwordHash' | 'displayName' | 'locale' | 'timeZone'>;

interface TokenData {
  emailKey: string;
  signUp?: PendingSignUp;
}

/** Proofs that the address of an account belongs to its owner. */
export class EmailVerification {
  constructor(
    private readonly parts: {
      records: AccountRecords;
      attempts: Attempts;
      mails: AccountMails;
      changes: EmailChange;
      events: EventLog;
      clock: () => Date;
    },
  ) {}

  /**
   * Queues the mail with a token that proves the account's address. With `signUp` the token also brings what that sign-up
   * wanted: whoever signs up with an address of somebody else's has not chosen that person's password.
   */
  async send(tx: UsersTransaction, user: UserRow, signUp?: PendingSignUp): Promise<void> {
    const data: TokenData = { emailKey: user.emailKey, ...(signUp ? { signUp } : {}) };
    const { token } = await issueToken(tx, this.parts.clock(), {
      kind: 'VERIFY_EMAIL',
      userId: user.id,
      data,
      lifetimeMs: VERIFICATION_MS,
    });
    await this.parts.mails.verification(tx, user.email, token);
  }

  /** Sends the mail to somebody who knows the password but not that the address is to be verified; not too often. */
  async remind(user: UserRow): Promise<void> {
    const { waitMs } = await this.parts.attempts.tryCounting(MAIL_LIMIT, `verification:${user.id}`);
    if (waitMs === null) await this.parts.records.transaction((tx) => this.send(tx, user));
  }

  /** Sends the mail again that proves the viewer's address. Throws INVALID_STATE for one that is verified, RATE_LIMITED. */
  async sendAgain(viewer: Viewer): Promise<void> {
    const { records, attempts } = this.parts;
    const user = (await records.userById(viewer.userId)) ?? accountGone();
    if (user.emailVerifiedAt) {
      throw new UserProblemError<UsersProblemCode>({
        code: 'INVALID_STATE',
        message: 'The e-mail address of this account is verified already.',
      });
    }
    await attempts.count(MAIL_LIMIT, `verification:${user.id}`);
    await records.transaction((tx) => this.send(tx, user));
  }

  /** Takes the token of a mail that verifies an address, or confirms a new one. Throws INVALID_TOKEN. */
  async confirm(text: string, identity: CallIdentity): Promise<void> {
    const { records, changes, clock } = this.parts;
    try {
      await records.transaction(async (tx) => {
        const locked = await records.lockTokenAndUser(tx, text, ['VERIFY_EMAIL', 'CHANGE_EMAIL'], clock());
        if (!locked) throw invalidToken();
        await useToken(tx, clock(), locked.token);
        if (locked.token.kind === 'CHANGE_EMAIL') await changes.apply(tx, locked.user, locked.token, identity);
        else await this.verified(tx, locked.user, locked.token, identity);
      });
    } catch (error) {
      // Another account got the address in the same moment.
      throw isUniqueViolation(error) ? invalidToken() : error;
    }
  }

  private async verified(
    tx: UsersTransaction,
    user: UserRow,
    { data }: OneTimeTokenRow,
    identity: CallIdentity,
  ): Promise<void> {
    const { records, events, clock } = this.parts;
    const { emailKey, signUp } = data as unknown as TokenData;
    if (emailKey !== user.emailKey) throw invalidToken();
    const now = clock();
    await records.update(tx, user.id, {
      emailVerifiedAt: user.emailVerifiedAt ?? now,
      // Not into an account that somebody uses already.
      ...(signUp && isUnused(user) ? signUp : {}),
    });
    await records.voidTokens(tx, user.id, ['VERIFY_EMAIL'], now);
    await recordAudit(tx, identity, { action: 'email.verified', actorId: user.id, subjectId: user.id });
    await announceViewer(tx, events, user.id, 'EMAIL');
  }
}

/** Whether nobody has ever been in the account, and nobody has proven to own its address. */
export function isUnused({ emailVerifiedAt, lastSignInAt }: UserRow): boolean {
  return emailVerifiedAt === null && lastSignInAt === null;
}
