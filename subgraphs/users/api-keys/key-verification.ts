import type { VerifiedApiKey } from '../../../platform/identity/api-key';
import { keyScopesOf } from '../../../platform/identity/scopes';
import type { ApiKeyRecords } from './api-key-records';

/** `lastUsedAt` is right to within a minute. */
const TOUCH_MS = 60_000;

/** Tells gateways who a key stands for. */
export class KeyVerification {
  constructor(
    private readonly keyRecords: ApiKeyRecords,
    private readonly clock: () => Date,
  ) {}

  /**
   * Null for a key that is unknown, revoked or expired, and while its account may not be used. Of its scopes those count
   * that the account still has.
   */
  async verify(keyHash: string): Promise<VerifiedApiKey | null> {
    // Before the look: what changes from here on is newer than this answer.
    const checkedAt = this.clock();
    const key = await this.keyRecords.keyWithUser(keyHash);
    if (!key || key.revokedAt || (key.expiresAt && key.expiresAt <= checkedAt) || key.user.status !== 'ACTIVE')
      return null;
    await this.keyRecords.touchKey(key.id, checkedAt, new Date(checkedAt.getTime() - TOUCH_MS));
    const allowed: readonly string[] = keyScopesOf(key.user.roles);
    const scopes = key.scopes.filter((scope) => allowed.includes(scope));
    return { viewer: { userId: key.userId, sessionId: key.id, scopes }, expiresAt: key.expiresAt, checkedAt };
  }
}
