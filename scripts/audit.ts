import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { AuditRecords } from '../subgraphs/users/audit/audit-records';
import { AUDIT_FORMATS, exportAuditLog, type AuditFormat } from '../subgraphs/users/audit/export-audit-log';
import { USERS_MODELS } from '../subgraphs/users/records';
import { runCommand, UsageError } from './run-command';

const USAGE = `Use: npm run --silent audit -- [--from DATE] [--to DATE] [--format ${AUDIT_FORMATS.join('|')}] > FILE
Dates are ISO 8601, e.g. 2026-11-01 or 2026-11-01T12:00:00Z; --to is not included. The default is everything, as ndjson.`;
const TEXT = { type: 'string' } as const;

/** `npm run audit`: writes the audit log to stdout, oldest first. */
void runCommand({
  name: 'audit',
  read(args) {
    const { from, to, format = 'ndjson' } = parsed(args);
    if (!isFormat(format)) throw new UsageError(USAGE);
    return { format, period: { from: instant(from), to: instant(to) } };
  },
  async run({ database }, { format, period }) {
    const records = new AuditRecords(database.slice(USERS_MODELS));
    const conditions = { actorId: null, subjectId: null, action: null, period };
    for await (const line of exportAuditLog(records, conditions, format)) {
      // Only as fast as it is read: the log may be longer than the memory.
      if (!process.stdout.write(line)) await once(process.stdout, 'drain');
    }
  },
});

function parsed(args: string[]): { from?: string; to?: string; format?: string } {
  try {
    return parseArgs({ args, options: { from: TEXT, to: TEXT, format: TEXT } }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`);
  }
}

function isFormat(text: string): text is AuditFormat {
  return (AUDIT_FORMATS as readonly string[]).includes(text);
}

function instant(text: string | undefined): Date | null {
  if (text === undefined) return null;
  const date = new Date(text);
  if (/^\d{4}-\d\d-\d\d(T.*Z)?$/.test(text) && !Number.isNaN(date.getTime())) return date;
  throw new UsageError(USAGE);
}
