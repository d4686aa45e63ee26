/** Whose access tokens are worth nothing any more, whatever they say themselves. */
export type AccessChange =
  /** A session has ended, or an API key was revoked: all its tokens are void. */
  | { kind: 'ended'; sessionId: string }
  /** What the account may do has changed: its tokens issued before `at` (ISO 8601) are void, and have to be renewed. */
  | { kind: 'changed'; userId: string; at: string };

/** What a follower of access changes is told. Changes come in order, and may come again after a reconnection. */
export type AccessNews =
  /** `at`: when it was written down. */
  | { kind: 'ended'; sessionId: string; at: string }
  | { kind: 'changed'; userId: string; at: string }
  /** Everything up to this moment has been told. Repeated at least every {@link NEWS_BEAT_MS}. */
  | { kind: 'current' };

/** How often a follower hears that it is current; one that hears nothing three times as long has lost its source. */
export const NEWS_BEAT_MS = 1_000;
/**
 * How far back the news begin: no token is older. It lives 10 min, and 30 s more for clocks that differ; the rest is for
 * transactions that take a while to commit.
 */
export const NEWS_HISTORY_MS = 11 * 60_000;
