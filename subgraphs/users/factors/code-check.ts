import type { Seal } from '../../../platform/seal';
import type { UsersTransaction } from '../records';
import type { FactorRecords } from './factor-records';
import { recoveryCodeHash } from './recovery-codes';
import { normalizedTotpCode, stepOfCode } from './totp';

export type FactorKind = 'TOTP' | 'RECOVERY_CODES';

/** Takes codes of second factors; each works once. The account must be locked (`lockUser`). */
export class CodeCheck {
  constructor(
    private readonly records: FactorRecords,
    private readonly seal: Seal,
  ) {}

  /** Uses up the code; answers what kind it was, or null for one that is wrong, used or too old. */
  async take(tx: UsersTransaction, userId: string, code: string, now: Date): Promise<FactorKind | null> {
    if (await this.takeTotp(tx, userId, code, now)) return 'TOTP';
    const hash = recoveryCodeHash(code);
    return hash && (await this.records.useCode(tx, userId, hash, now)) ? 'RECOVERY_CODES' : null;
  }

  /** The same for codes of authenticator apps only. */
  async takeTotp(tx: UsersTransaction, userId: string, code: string, now: Date): Promise<boolean> {
    for (const factor of await this.records.allFactors(tx, userId)) {
      if (!factor.confirmedAt) continue;
      const step = stepOfCode(this.seal.unseal(factor.secret), normalizedTotpCode(code), now);
      if (step === null || (factor.lastStep !== null && step <= factor.lastStep)) continue;
      await this.records.updateFactor(tx, factor.id, { lastStep: step });
      return true;
    }
    return false;
  }
}
