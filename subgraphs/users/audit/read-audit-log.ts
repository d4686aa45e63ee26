import { readConnection, type Connection, type PageRequest } from '../../../platform/connection';
import { SautiError } from '../../../platform/errors';
import type { Viewer } from '../../../platform/identity/viewer';
import { requireScope } from '../administration/require-scope';
import type { AuditEventRow, AuditRecords } from './audit-records';

/** As the graph's input Period says. */
const MAX_PERIOD_MS = 366 * 24 * 3_600_000;
/** An id has 30 characters, the longest action about as many; what is longer is nowhere in the log. */
const MAX_TEXT_LENGTH = 64;

/** As the graph's AuditFilter. */
export interface AuditFilter {
  actorId?: string | null | undefined;
  subjectId?: string | null | undefined;
  action?: string | null | undefined;
  period?: { from: Date; to: Date } | null | undefined;
}

/**
 * A page of the audit log, newest first. Throws UNAUTHENTICATED, FORBIDDEN without the scope, and BAD_USER_INPUT for a
 * period that is longer than 366 days or ends before it begins.
 */
export async function readAuditLog(
  records: AuditRecords,
  viewer: Viewer | null,
  page: PageRequest,
  { actorId = null, subjectId = null, action = null, period }: AuditFilter,
): Promise<Connection<AuditEventRow>> {
  requireScope(viewer, 'admin:audit');
  if (period) checkPeriod(period);
  const conditions = { actorId, subjectId, action, period: period ?? { from: null, to: null } };
  const isPossible = [actorId, subjectId, action].every((text) => text === null || isText(text));
  return readConnection<AuditEventRow>(
    page,
    ({ id }) => id,
    async (take, beforeId) => (isPossible ? records.newestFirst(conditions, take, beforeId) : []),
  );
}

function checkPeriod({ from, to }: { from: Date; to: Date }): void {
  const lengthMs = to.getTime() - from.getTime();
  if (lengthMs > 0 && lengthMs <= MAX_PERIOD_MS) return;
  throw new SautiError('BAD_USER_INPUT', '"period" ends after it begins, and at most 366 days later.');
}

function isText(text: string): boolean {
  return text.length <= MAX_TEXT_LENGTH && !text.includes('\0');
}
