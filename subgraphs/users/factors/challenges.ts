import type { MfaChallenge, SecondFactors, SignInProof } from '../accounts/sign-in';
import { issueToken } from '../one-time-tokens';
import type { UserRow, UsersTransaction } from '../records';
import type { FactorRecords } from './factor-records';
import type { TrustedDevices } from './trusted-devices';

/** How long a sign-in waits for its second factor. */
const CHALLENGE_MS = 5 * 60_000;

/** What a challenge remembers of the sign-in that it interrupts. */
export interface ChallengeData {
  deviceName: string | null;
}

/** Asks for second factors. */
export class Challenges implements SecondFactors {
  constructor(
    private readonly records: FactorRecords,
    private readonly devices: TrustedDevices,
    private readonly clock: () => Date,
  ) {}

  /** What the account asks for besides `proof`; null when it has no factor, or trusts the device. */
  async challenge(tx: UsersTransaction, user: UserRow, proof: SignInProof): Promise<MfaChallenge | null> {
    const factors = await this.records.allFactors(tx, user.id);
    if (!factors.some((factor) => factor.confirmedAt)) return null;
    const now = this.clock();
    if (await this.devices.isTrusted(tx, user.id, proof.deviceToken, now)) return null;
    const data: ChallengeData = { deviceName: proof.deviceName };
    const issued = await issueToken(tx, now, {
      kind: 'MFA_CHALLENGE',
      userId: user.id,
      data,
      lifetimeMs: CHALLENGE_MS,
    });
    const codesLeft = await this.records.countUnusedCodes(tx, user.id);
    return { ...issued, methods: codesLeft > 0 ? ['TOTP', 'RECOVERY_CODES'] : ['TOTP'] };
  }
}
