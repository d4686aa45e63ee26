import { randomBytes } from 'node:crypto';
import { hashOfToken } from '../one-time-tokens';
import type { UsersTransaction } from '../records';
import type { FactorRecords } from './factor-records';

/** Thirty days, as clients expect it of "trust this device". */
const TRUST_MS = 30 * 24 * 3_600_000;
/** A token has 43 characters; what is much longer is none. */
const MAX_TOKEN_LENGTH = 100;

/** Devices that gave a second factor once and are not asked for it again for a while. */
export class TrustedDevices {
  constructor(private readonly records: FactorRecords) {}

  /** Answers the token that proves the device for 30 days; only its hash is kept. */
  async trust(tx: UsersTransaction, userId: string, now: Date): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    const expiresAt = new Date(now.getTime() + TRUST_MS);
    await this.records.insertDevice(tx, { tokenHash: hashOfToken(token), userId, createdAt: now, expiresAt });
    return token;
  }

  async isTrusted(tx: UsersTransaction, userId: string, token: string | null, now: Date): Promise<boolean> {
    if (!token || token.length > MAX_TOKEN_LENGTH) return false;
    return this.records.isDeviceTrusted(tx, hashOfToken(token), userId, now);
  }

  /** Answers how many there were. */
  forgetAll(tx: UsersTransaction, userId: string): Promise<number> {
    return this.records.deleteDevices(tx, userId);
  }
}
