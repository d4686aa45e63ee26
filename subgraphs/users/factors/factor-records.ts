import type { MfaFactor, RecoveryCode } from '../../../platform/database/prisma-client/client';
import type { UsersDatabase, UsersTransaction } from '../records';

export type FactorRow = MfaFactor;
export type RecoveryCodeRow = RecoveryCode;

/** Queries for second factors, recovery codes, challenges and trusted devices. */
export class FactorRecords {
  constructor(private readonly database: UsersDatabase) {}

  /** Those that are switched on, and all recovery codes, also used ones. */
  async factorsOf(userId: string): Promise<{ factors: FactorRow[]; codes: RecoveryCodeRow[] }> {
    const [factors, codes] = await Promise.all([
      this.database.mfaFactor.findMany({ where: { userId, confirmedAt: { not: null } }, orderBy: { id: 'asc' } }),
      this.database.recoveryCode.findMany({ where: { userId } }),
    ]);
    return { factors, codes };
  }

  /** Also those that are being set up. */
  allFactors(tx: UsersTransaction, userId: string): Promise<FactorRow[]> {
    return tx.mfaFactor.findMany({ where: { userId }, orderBy: { id: 'asc' } });
  }

  async insertFactor(
    tx: UsersTransaction,
    factor: Pick<FactorRow, 'id' | 'userId' | 'name' | 'secret' | 'createdAt'>,
  ): Promise<void> {
    await tx.mfaFactor.create({ data: factor });
  }

  async updateFactor(
    tx: UsersTransaction,
    id: string,
    changes: { confirmedAt?: Date; lastStep: number },
  ): Promise<void> {
    await tx.mfaFactor.update({ where: { id }, data: changes });
  }

  async deleteFactor(tx: UsersTransaction, id: string): Promise<void> {
    await tx.mfaFactor.delete({ where: { id } });
  }

  async deleteUnconfirmed(tx: UsersTransaction, userId: string): Promise<void> {
    await tx.mfaFactor.deleteMany({ where: { userId, confirmedAt: null } });
  }

  countUnusedCodes(tx: UsersTransaction, userId: string): Promise<number> {
    return tx.recoveryCode.count({ where: { userId, usedAt: null } });
  }

  async replaceCodes(tx: UsersTransaction, userId: string, hashes: readonly string[], createdAt: Date): Promise<void> {
    await tx.recoveryCode.deleteMany({ where: { userId } });
    await tx.recoveryCode.createMany({ data: hashes.map((codeHash) => ({ userId, codeHash, createdAt })) });
  }

  /** Whether the code was there and unused; from now on it is used. */
  async useCode(tx: UsersTransaction, userId: string, codeHash: string, usedAt: Date): Promise<boolean> {
    const { count } = await tx.recoveryCode.updateMany({ where: { userId, codeHash, usedAt: null }, data: { usedAt } });
    return count === 1;
  }

  /** Whose sign-in waits for a second factor, without a lock; null when none does. */
  async challengedUserId(tokenHash: string): Promise<string | null> {
    const challenge = await this.database.oneTimeToken.findFirst({ where: { tokenHash, kind: 'MFA_CHALLENGE' } });
    return challenge?.userId ?? null;
  }

  async countFailure(tx: UsersTransaction, tokenHash: string): Promise<void> {
    await tx.oneTimeToken.update({ where: { tokenHash }, data: { failures: { increment: 1 } } });
  }

  async insertDevice(
    tx: UsersTransaction,
    device: { tokenHash: string; userId: string; createdAt: Date; expiresAt: Date },
  ): Promise<void> {
    await tx.trustedDevice.create({ data: device });
  }

  async isDeviceTrusted(tx: UsersTransaction, tokenHash: string, userId: string, now: Date): Promise<boolean> {
    const device = await tx.trustedDevice.findFirst({ where: { tokenHash, userId, expiresAt: { gt: now } } });
    return device !== null;
  }

  /** Answers how many. */
  async deleteDevices(tx: UsersTransaction, userId: string): Promise<number> {
    return (await tx.trustedDevice.deleteMany({ where: { userId } })).count;
  }
}
