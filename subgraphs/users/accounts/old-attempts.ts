import type { Platform } from '../../../platform/platform';
import { UserRecords, USERS_MODELS } from '../records';

/** Used and expired tokens are kept for a while, so that it can be told what became of them. */
const KEPT_MS = 7 * 24 * 3_600_000;

/** Removes what counted attempts whose window is over, and tokens that expired a week ago. */
export async function removeOldAttempts(
  { database }: Platform,
  now = new Date(),
): Promise<{ attempts: number; tokens: number }> {
  const records = new UserRecords(database.slice(USERS_MODELS));
  return {
    attempts: await records.deleteAttemptsBefore(now),
    tokens: await records.deleteTokensExpiredBefore(new Date(now.getTime() - KEPT_MS)),
  };
}
