import { UserProblemError } from '../../../platform/errors';
import type { Viewer } from '../../../platform/identity/viewer';
import type { UsersProblemCode } from '../errors';
import type { UserRecords } from '../records';

/** How long a proof of who is at the device holds. */
export const FRESH_MS = 60 * 60_000;

/**
 * Demands that the viewer's session was proven within the last hour: for what a stolen token must not be enough for. Throws
 * REAUTHENTICATION_REQUIRED, also for a session that has just ended, and for API keys, which have nobody to ask.
 */
export async function requireFreshProof(records: UserRecords, viewer: Viewer, now: Date): Promise<void> {
  const [session] = await records.sessionsByIds([viewer.sessionId], viewer.userId);
  const isLive = session && !session.endedAt && session.expiresAt > now;
  if (isLive && now.getTime() - session.authenticatedAt.getTime() <= FRESH_MS) return;
  throw new UserProblemError<UsersProblemCode>({
    code: 'REAUTHENTICATION_REQUIRED',
    message: 'Your last proof is older than an hour. Call reauthenticate with your password or a code, then try again.',
  });
}
