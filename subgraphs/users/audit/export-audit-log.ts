import { inPages } from '../../../platform/account-data';
import type { AuditConditions, AuditEventRow, AuditRecords } from './audit-records';

export const AUDIT_FORMATS = ['ndjson', 'csv'] as const;
export type AuditFormat = (typeof AUDIT_FORMATS)[number];

const COLUMNS = ['id', 'at', 'action', 'actorId', 'subjectId', 'ipAddress', 'requestId', 'metadata'] as const;
const PAGE = 1_000;

/** The audit log as text, oldest first, line by line: one JSON object each, or CSV (RFC 4180) with a line of names. */
export async function* exportAuditLog(
  records: AuditRecords,
  conditions: AuditConditions,
  format: AuditFormat,
): AsyncGenerator<string, void, void> {
  if (format === 'csv') yield csvLine(COLUMNS);
  for await (const event of inPages((afterId) => records.oldestFirst(conditions, PAGE, afterId))) {
    const values = COLUMNS.map((column) => event[column]);
    yield format === 'csv' ? csvLine(values.map(textOf)) : ndjsonLine(event);
  }
}

function ndjsonLine(event: AuditEventRow): string {
  return `${JSON.stringify(Object.fromEntries(COLUMNS.map((column) => [column, event[column]])))}\n`;
}

function textOf(value: AuditEventRow[(typeof COLUMNS)[number]]): string {
  if (value === null) return '';
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/** What a spreadsheet would take for a formula is shown as text (OWASP, "CSV Injection"). */
function csvCell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
