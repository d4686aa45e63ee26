import type { EndAllSessions } from '../accounts/sign-in';
import { recordAudit } from '../audit/audit-log';

/** Ends sessions as a whole, with an audit event for each. */
export function endAllSessionsAt(clock: () => Date): EndAllSessions {
  return async (tx, userId, except, identity) => {
    const now = clock();
    const ended = await tx.session.updateManyAndReturn({
      where: { userId, endedAt: null, expiresAt: { gt: now }, ...(except === null ? {} : { id: { not: except } }) },
      data: { endedAt: now },
      select: { id: true },
    });
    for (const { id } of ended) await recordAudit(tx, identity, { action: 'session.ended', subjectId: id });
    return ended.map(({ id }) => ({ kind: 'ended', sessionId: id }));
  };
}
