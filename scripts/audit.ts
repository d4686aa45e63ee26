import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { AuditRecords } from '../subgraphs/users/audit/audit-records';
import { AUDIT_FORMATS, exportAuditLog, type AuditFormat } from '../subgraphs/users/audit/export-audit-log';
import { USERS_MODELS } from '../subgraphs/users/records';
import { UsageError, withPlatform } from './with-platform';

const USAGE = `Use: npm run --silent audit -- [--from DATE] [--to DATE] [--format ${AUDIT_FORMATS.join('|')}] > FILE
Dates are ISO 8601, e.g. 2026-11-01 or 2026-11-01T12:00:00Z; --to is not included. The default is everything, as ndjson.`;

/** `npm run audit`: writes the audit log to stdout, oldest first. */
void withPlatform('audit', async ({ database }) => {
  const { from, to, format } = options();
  const records = new AuditRecords(database.slice(USERS_MODELS));
  const conditions = { actorId: null, subjectId: null, action: null, period: { from, to } };
  for await (const line of exportAuditLog(records, conditions, format)) {
    // Only as fast as it is read: the log may be longer than the memory.
    if (!process.stdout.write(line)) await once(process.stdout, 'drain');
  }
});

function options(): { from: Date | null; to: Date | null; format: AuditFormat } {
  const text = { type: 'string' } as const;
  const values = parsed(() => parseArgs({ options: { from: text, to: text, format: text } }).values);
  const { from, to, format = 'ndjson' } = values;
  if (!(AUDIT_FORMATS as readonly string[]).includes(format)) throw new UsageError(USAGE);
  return { from: instant(from), to: instant(to), format: format as AuditFormat };
}

function parsed<Values>(parse: () => Values): Values {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`);
  }
}

function instant(text: string | undefined): Date | null {
  if (text === undefined) return null;
  const date = new Date(text);
  if (/^\d{4}-\d\d-\d\d(T.*Z)?$/.test(text) && !Number.isNaN(date.getTime())) return date;
  throw new UsageError(USAGE);
}
