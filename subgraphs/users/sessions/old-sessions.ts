import type { Platform } from '../../../platform/platform';
import { UserRecords, USERS_MODELS } from '../records';

const DAY_MS = 24 * 3_600_000;
/** How long a session that is over stays. */
const KEPT_MS = 30 * DAY_MS;
/** How long a used refresh token stays, so that its second use is told from an unknown token. */
const USED_TOKEN_KEPT_MS = DAY_MS;

/**
 * Deletes sessions 30 days after they ended or expired, with their refresh tokens, and refresh tokens a day after their
 * use. Answers how many; a token that went with its session is not counted.
 */
export async function removeOldSessions(
  platform: Pick<Platform, 'database'>,
  now = new Date(),
): Promise<{ sessions: number; refreshTokens: number }> {
  const records = new UserRecords(platform.database.slice(USERS_MODELS));
  return {
    sessions: await records.deleteSessionsOverBefore(new Date(now.getTime() - KEPT_MS)),
    refreshTokens: await records.deleteRefreshTokensUsedBefore(new Date(now.getTime() - USED_TOKEN_KEPT_MS)),
  };
}
