import type { CallIdentity } from '../../../platform/identity/viewer';
import type { SignIns } from '../accounts/sign-in';
import type { AttemptLimit, Attempts } from '../attempts';
import { recordAudit } from '../audit/audit-log';
import { problem } from '../input';
import { hashOfToken, lockToken, useToken, type OneTimeTokenRow } from '../one-time-tokens';
import { lockUserAndDeletion, type UserRecords, type UserRow, type UsersTransaction } from '../records';
import type { SecurityTrail } from '../security-trail';
import type { SignedIn } from '../sessions/sessions';
import type { ChallengeData } from './challenges';
import type { CodeCheck } from './code-check';
import type { FactorRecords } from './factor-records';
import { isTotpCode, normalizedTotpCode } from './totp';
import type { TrustedDevices } from './trusted-devices';

/** Wrong codes that one challenge takes. */
const CODES_PER_CHALLENGE = 5;
/**
 * Of a million codes three are right at any time. Ten guesses an hour find one within a year with a chance of about one in
 * four; only who has the password can make them, and each failure is in the audit log. A right code starts anew.
 */
const TOTP_LIMIT: AttemptLimit = { purpose: 'mfa', attempts: 10, windowMs: 60 * 60_000 };

export interface SecondProof {
  token: string;
  code: string;
  trustDevice: boolean;
}

/** The second half of a sign-in that was asked for a second factor. */
export class MfaSignIn {
  constructor(
    private readonly parts: {
      records: UserRecords;
      factorRecords: FactorRecords;
      codes: CodeCheck;
      devices: TrustedDevices;
      signIns: SignIns;
      attempts: Attempts;
      trail: SecurityTrail;
      clock: () => Date;
    },
  ) {}

  /**
   * Finishes the sign-in. Throws INVALID_TOKEN for a token that is unknown, used, older than five minutes or has had five
   * wrong codes (path `token`), and for a wrong code (path `code`); RATE_LIMITED after ten wrong codes of an app within an
   * hour, whatever the challenge. Recovery codes work even then: nobody guesses those.
   */
  async verify(identity: CallIdentity, proof: SecondProof): Promise<SignedIn & { deviceToken: string | null }> {
    const { records, factorRecords, attempts } = this.parts;
    const userId = await factorRecords.challengedUserId(hashOfToken(proof.token));
    if (!userId) throw tokenIsOver();
    const isGuessable = isTotpCode(normalizedTotpCode(proof.code));
    // Before the code is looked at, and outside the transaction, so that guesses made at once are all counted.
    if (isGuessable) await attempts.count(TOTP_LIMIT, userId);
    const outcome = await records.transaction((tx) => this.finish(tx, identity, proof, userId));
    // Thrown outside the transaction: the failure must stay counted.
    if (outcome === 'over') throw tokenIsOver();
    if (outcome === 'wrong') throw problem('INVALID_TOKEN', 'This code is wrong, used, or too old.', 'code');
    if (isGuessable) await attempts.clear(TOTP_LIMIT, userId);
    return outcome;
  }

  private async finish(tx: UsersTransaction, identity: CallIdentity, proof: SecondProof, userId: string) {
    const { codes, devices } = this.parts;
    const now = this.parts.clock();
    // The account first, as everywhere: whoever changes it may make its tokens worthless.
    const user = await lockUserAndDeletion(tx, userId);
    const challenge = await lockToken(tx, now, proof.token, ['MFA_CHALLENGE']);
    if (!challenge || !user || challenge.failures >= CODES_PER_CHALLENGE) return 'over';
    const kind = await codes.take(tx, userId, proof.code, now);
    if (!kind) return this.refuse(tx, identity, challenge);
    await useToken(tx, now, challenge);
    const signedIn = await this.signIn(tx, identity, user, challenge);
    const deviceToken = proof.trustDevice ? await devices.trust(tx, userId, now) : null;
    if (kind === 'RECOVERY_CODES') await this.tellCodeUsed(tx, identity, user);
    return { ...signedIn, deviceToken };
  }

  private async refuse(tx: UsersTransaction, identity: CallIdentity, challenge: OneTimeTokenRow): Promise<'wrong'> {
    await this.parts.factorRecords.countFailure(tx, challenge.tokenHash);
    await recordAudit(tx, identity, {
      action: 'signIn.failed',
      actorId: null,
      subjectId: challenge.userId,
      metadata: { step: 'mfa' },
    });
    return 'wrong';
  }

  private async signIn(tx: UsersTransaction, identity: CallIdentity, user: UserRow, challenge: OneTimeTokenRow) {
    const { deviceName } = challenge.data as unknown as ChallengeData;
    const proof = { assurance: 'MFA', deviceName, deviceToken: null, identity } as const;
    const signedIn = await this.parts.signIns.complete(tx, user, proof);
    if ('mfa' in signedIn) throw new Error('A second factor was asked for again after it was given.');
    return signedIn;
  }

  private async tellCodeUsed(tx: UsersTransaction, identity: CallIdentity, user: UserRow): Promise<void> {
    const left = await this.parts.factorRecords.countUnusedCodes(tx, user.id);
    await this.parts.trail.leave(tx, identity, user, {
      audit: { action: 'mfa.recoveryCodeUsed', actorId: user.id, subjectId: user.id, metadata: { left } },
      notice: {
        subject: 'A recovery code was used',
        text: `Somebody signed in to your account with one of your recovery codes. ${left} of them are left.`,
      },
    });
  }
}

function tokenIsOver() {
  return problem('INVALID_TOKEN', 'This sign-in is over. Begin again with signIn.', 'token');
}
