import { inPages, type AccountData } from '../../../platform/account-data';
import type { Platform } from '../../../platform/platform';
import { USERS_MODELS } from '../records';
import { OwnDataRecords } from './own-data-records';

const PAGE = 500;

/**
 * What this slice gives out of an account: all it knows but secrets and their hashes, which nobody could use for anything
 * good. Its deletion is not here: it comes last, with the end of the job; see `delete-user.ts`.
 */
export function createUsersAccountExport({
  database,
}: Pick<Platform, 'database'>): Pick<AccountData, 'subgraph' | 'export'> {
  const records = new OwnDataRecords(database.slice(USERS_MODELS));
  return {
    subgraph: 'users',
    async export(ownerId, archive) {
      const account = await records.account(ownerId);
      const auditEvents = inPages((afterId) => records.auditEvents(ownerId, PAGE, afterId));
      const creditEntries = inPages((afterId) => records.creditEntries(ownerId, PAGE, afterId));
      const sessions = inPages((afterId) => records.sessions(ownerId, PAGE, afterId));
      return {
        accounts: await archive.lines('users/account.ndjson', listed(account)),
        sessions: await archive.lines('users/sessions.ndjson', sessions),
        creditEntries: await archive.lines('users/credit-entries.ndjson', creditEntries),
        auditEvents: await archive.lines('users/audit-events.ndjson', auditEvents),
      };
    },
  };
}

async function* listed(row: object | null): AsyncGenerator<object, void, void> {
  if (row) yield row;
}
