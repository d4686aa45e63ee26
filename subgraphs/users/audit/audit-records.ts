import type { AuditEvent } from '../../../platform/database/prisma-client/client';
import type { UsersDatabase } from '../records';

export type AuditEventRow = AuditEvent;

/** Which events; all conditions must hold, null: any. */
export interface AuditConditions {
  actorId: string | null;
  subjectId: string | null;
  action: string | null;
  /** Its end is not included; either may be open. */
  period: { from: Date | null; to: Date | null };
}

/** Queries for the audit log; `recordAudit` writes it. */
export class AuditRecords {
  constructor(private readonly database: UsersDatabase) {}

  /** Newest first, below `beforeId`. */
  newestFirst(conditions: AuditConditions, take: number, beforeId: string | null): Promise<AuditEventRow[]> {
    return this.database.auditEvent.findMany({
      where: { ...conditionsOf(conditions), ...(beforeId === null ? {} : { id: { lt: beforeId } }) },
      orderBy: { id: 'desc' },
      take,
    });
  }

  /** Oldest first, behind `afterId`. */
  oldestFirst(conditions: AuditConditions, take: number, afterId: string): Promise<AuditEventRow[]> {
    return this.database.auditEvent.findMany({
      where: { ...conditionsOf(conditions), id: { gt: afterId } },
      orderBy: { id: 'asc' },
      take,
    });
  }

  eventsByIds(ids: readonly string[]): Promise<AuditEventRow[]> {
    return this.database.auditEvent.findMany({ where: { id: { in: [...ids] } } });
  }
}

function conditionsOf({ actorId, subjectId, action, period: { from, to } }: AuditConditions) {
  return {
    ...(actorId === null ? {} : { actorId }),
    ...(subjectId === null ? {} : { subjectId }),
    ...(action === null ? {} : { action }),
    at: { ...(from && { gte: from }), ...(to && { lt: to }) },
  };
}
