import type { AccessChange } from '../events';
import type { UsersTransaction } from '../records';

/**
 * Ends all sessions of an account and revokes its keys, in the caller's transaction. Answers what has to be announced at
 * its end (`announceAccess`), so that no token of theirs is worth anything anywhere.
 */
export async function lockOut(tx: UsersTransaction, userId: string, now: Date): Promise<AccessChange[]> {
  const sessions = await tx.session.updateManyAndReturn({
    where: { userId, endedAt: null, expiresAt: { gt: now } },
    data: { endedAt: now },
    select: { id: true },
  });
  const keys = await tx.apiKey.updateManyAndReturn({
    where: { userId, revokedAt: null },
    data: { revokedAt: now },
    select: { id: true },
  });
  const ended = [...sessions, ...keys].map(({ id }): AccessChange => ({ kind: 'ended', sessionId: id }));
  return [...ended, { kind: 'changed', userId, at: now.toISOString() }];
}
