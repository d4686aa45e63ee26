import { tooManyAttempts, type Attempts } from '../attempts';
import { recordAudit } from '../audit/audit-log';
import type { CallIdentity } from '../../../platform/identity/viewer';
import { hashOfToken } from '../one-time-tokens';
import { checkedName } from '../profile/profile-checks';
import type { UserRow } from '../records';
import type { SignedIn } from '../sessions/sessions';
import { DEVICE_LIMIT, SIGN_IN_LIMIT } from './account-limits';
import type { AccountRecords } from './account-records';
import { emailKeyOf, possibleEmailKey } from './email-address';
import type { EmailVerification } from './email-verification';
import { verifyPassword } from './passwords';
import { SignInRefused, type MfaNeeded, type SignIns } from './sign-in';

/** A trusted device's token has 43 characters; what is much longer is none. */
const MAX_DEVICE_TOKEN_LENGTH = 100;

export interface PasswordSignInInput {
  email: string;
  password: string;
  deviceName?: string | null | undefined;
  deviceToken?: string | null | undefined;
}

/** Signing in with a password. Whatever is wrong, the answer and the work until it are the same. */
export class PasswordSignIn {
  constructor(
    private readonly parts: {
      records: AccountRecords;
      attempts: Attempts;
      signIns: SignIns;
      verification: EmailVerification;
      /** Whether accounts whose address is not verified are let in. */
      requireVerifiedEmail: boolean;
      clock: () => Date;
    },
  ) {}

  /**
   * Throws INVALID_CREDENTIALS, the same for an unknown address, a wrong password and an account that may not sign in, and
   * RATE_LIMITED after five of those in 15 minutes, whether the address has an account or not. A device that the account
   * trusts has five of its own.
   */
  async signIn(input: PasswordSignInInput, identity: CallIdentity): Promise<SignedIn | MfaNeeded> {
    const { records, attempts, signIns } = this.parts;
    const deviceName = input.deviceName == null ? null : checkedName(input.deviceName, 'deviceName');
    const deviceToken = input.deviceToken ?? identity.client?.cookies?.deviceToken ?? null;
    const emailKey = possibleEmailKey(input.email);
    const user = emailKey === null ? null : await records.userByKey(emailKey);
    const budget = await this.budgetOf(user, deviceToken, emailKey ?? emailKeyOf(input.email.slice(0, 300)));
    await this.count(budget, user, identity);
    const isRight = await verifyPassword(input.password, user?.passwordHash ?? null);
    if (!user || !isRight) return this.refuse('signIn.failed', user, identity);
    if (this.parts.requireVerifiedEmail && !user.emailVerifiedAt) {
      await this.parts.verification.remind(user);
      return this.refuse('signIn.blocked', user, identity);
    }
    const outcome = await records
      .transaction((tx) => signIns.complete(tx, user, { assurance: 'PASSWORD', deviceName, deviceToken, identity }))
      .catch((error: unknown) => {
        if (error instanceof SignInRefused) return null;
        throw error;
      });
    if (!outcome) return this.refuse('signIn.blocked', user, identity);
    await attempts.clear(budget.limit, budget.key);
    return outcome;
  }

  private async budgetOf(user: UserRow | null, deviceToken: string | null, emailKey: string) {
    if (user && deviceToken && deviceToken.length <= MAX_DEVICE_TOKEN_LENGTH) {
      const key = hashOfToken(deviceToken);
      if (await this.parts.records.isDeviceTrusted(user.id, key, this.parts.clock()))
        return { limit: DEVICE_LIMIT, key };
    }
    return { limit: SIGN_IN_LIMIT, key: emailKey };
  }

  private async count(
    { limit, key }: Awaited<ReturnType<PasswordSignIn['budgetOf']>>,
    user: UserRow | null,
    identity: CallIdentity,
  ): Promise<void> {
    const { waitMs, isFirstRefusal } = await this.parts.attempts.tryCounting(limit, key);
    if (waitMs === null) return;
    // Once in a window: a flood of attempts is not to become a flood of events.
    if (isFirstRefusal) await this.audit('signIn.blocked', user, identity);
    throw tooManyAttempts(waitMs);
  }

  private async refuse(
    action: 'signIn.failed' | 'signIn.blocked',
    user: UserRow | null,
    identity: CallIdentity,
  ): Promise<never> {
    await this.audit(action, user, identity);
    throw new SignInRefused(user?.id ?? null);
  }

  /** For unknown addresses, too, though without the address: the work must be the same. */
  private audit(
    action: 'signIn.failed' | 'signIn.blocked',
    user: UserRow | null,
    identity: CallIdentity,
  ): Promise<void> {
    return this.parts.records.transaction((tx) =>
      recordAudit(tx, identity, { action, actorId: null, subjectId: user?.id ?? null }),
    );
  }
}
