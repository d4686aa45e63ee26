import { readAuditLog } from '../../audit/read-audit-log';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const auditLog: QueryResolvers['auditLog'] = (_parent, { filter, ...page }, { viewer, auditRecords }) =>
  readAuditLog(auditRecords, viewer, page, filter ?? {});
