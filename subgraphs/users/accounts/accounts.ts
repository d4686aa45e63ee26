import { isUniqueViolation } from '../../../platform/database/database';
import { UserProblemError } from '../../../platform/errors';
import type { CallIdentity } from '../../../platform/identity/viewer';
import { newId } from '../../../platform/ids';
import type { Attempts } from '../attempts';
import { recordAudit } from '../audit/audit-log';
import type { UsersProblemCode } from '../errors';
import { checkedLocale, checkedName, checkedTimeZone } from '../profile/profile-checks';
import type { NewUser, UserRecords, UserRow, UsersTransaction } from '../records';
import type { SignedIn } from '../sessions/sessions';
import { MAIL_LIMIT } from './account-limits';
import type { AccountMails } from './account-mails';
import { checkedPassword } from './checked-password';
import { checkedEmail, emailKeyOf } from './email-address';
import { isUnused, type EmailVerification } from './email-verification';
import type { PasswordReset } from './password-reset';
import { hashPassword } from './passwords';
import type { MfaNeeded, SignIns } from './sign-in';

export interface SignUp {
  email: string;
  password: string;
  displayName: string;
  locale: string;
  timeZone: string;
  deviceName?: string | null | undefined;
}

/** What every row of a new account has, in the order in which a person gave it. */
type CheckedSignUp = NewUser & { passwordHash: string };

/** Accounts: who may exist. */
export class Accounts {
  constructor(
    private readonly parts: {
      records: UserRecords;
      attempts: Attempts;
      mails: AccountMails;
      signIns: SignIns;
      verification: EmailVerification;
      resets: PasswordReset;
      /** Whether an address is proven before its account is let in. */
      requireVerifiedEmail: boolean;
    },
  ) {}

  /**
   * Makes an account and signs it in; its address gets a mail to be verified with. Throws INVALID_INPUT, WEAK_PASSWORD and
   * ALREADY_EXISTS. Where addresses are verified first it only sends that mail, and answers the same, after the same work, for
   * an address that has an account, whose owner gets another mail.
   */
  async signUp(input: SignUp, identity: CallIdentity): Promise<SignedIn | MfaNeeded | { verificationSent: true }> {
    const deviceName = input.deviceName == null ? null : checkedName(input.deviceName, 'deviceName');
    const user = await checkedSignUp(input);
    if (!this.parts.requireVerifiedEmail) return this.open(user, deviceName, identity);
    await this.askForProof(user, identity);
    return { verificationSent: true };
  }

  private async open(user: CheckedSignUp, deviceName: string | null, identity: CallIdentity) {
    try {
      return await this.parts.records.transaction(async (tx) => {
        const row = await this.insert(tx, user, identity);
        await this.parts.verification.send(tx, row);
        return this.parts.signIns.complete(tx, row, { assurance: 'PASSWORD', deviceName, deviceToken: null, identity });
      });
    } catch (error) {
      throw isUniqueViolation(error) ? addressTaken() : error;
    }
  }

  private async askForProof(user: CheckedSignUp, identity: CallIdentity): Promise<void> {
    const { records, attempts } = this.parts;
    const { waitMs } = await attempts.tryCounting(MAIL_LIMIT, `sign-up:${user.emailKey}`);
    const work = (tx: UsersTransaction): Promise<void> => this.writeProof(tx, user, waitMs === null, identity);
    try {
      await records.transaction(work);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      await records.transaction(work); // the same address at the same time: now there is an account
    }
  }

  private async writeProof(
    tx: UsersTransaction,
    user: CheckedSignUp,
    maySend: boolean,
    identity: CallIdentity,
  ): Promise<void> {
    const { mails, verification, resets } = this.parts;
    const existing = await tx.user.findUnique({ where: { emailKey: user.emailKey } });
    const row = existing ?? (await this.insert(tx, user, identity));
    if (!maySend) return;
    if (!isUnused(row)) return mails.accountExists(tx, row, await resets.issue(tx, row));
    const { passwordHash, displayName, locale, timeZone } = user;
    await verification.send(tx, row, { passwordHash, displayName, locale, timeZone });
  }

  private async insert(tx: UsersTransaction, user: CheckedSignUp, identity: CallIdentity): Promise<UserRow> {
    const row = await this.parts.records.insertUser(tx, user);
    await recordAudit(tx, identity, { action: 'account.created', actorId: row.id, subjectId: row.id });
    return row;
  }
}

async function checkedSignUp(input: SignUp): Promise<CheckedSignUp> {
  const email = checkedEmail(input.email);
  const displayName = checkedName(input.displayName, 'displayName');
  const locale = checkedLocale(input.locale);
  const timeZone = checkedTimeZone(input.timeZone);
  const passwordHash = await hashPassword(checkedPassword(input.password, { email, displayName }, 'password'));
  return { id: newId('usr'), email, emailKey: emailKeyOf(email), passwordHash, displayName, locale, timeZone };
}

function addressTaken(): UserProblemError<UsersProblemCode> {
  return new UserProblemError({
    code: 'ALREADY_EXISTS',
    message: 'An account with this e-mail address exists already. Sign in instead.',
    path: ['input', 'email'],
  });
}
