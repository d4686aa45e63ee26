import { readConnection, type Connection, type PageRequest } from '../../../platform/connection';
import { SautiError } from '../../../platform/errors';
import type { Viewer } from '../../../platform/identity/viewer';
import type { UserRow } from '../records';
import type { AccountConditions, AdministrationRecords } from './administration-records';
import { requireScope } from './require-scope';

const MAX_SEARCH_LENGTH = 100;

/** A page of accounts, and what it was asked with. */
export interface UserPage extends Connection<UserRow> {
  conditions: AccountConditions;
}

/** What administrators see of all accounts. Each throws UNAUTHENTICATED, or FORBIDDEN without the scope. */
export class Administration {
  constructor(
    private readonly records: AdministrationRecords,
    private readonly clock: () => Date,
  ) {}

  /** A page of accounts, newest first. Throws BAD_USER_INPUT for a search that is empty or too long. */
  async users(
    viewer: Viewer | null,
    page: PageRequest,
    filter: { [Name in keyof AccountConditions]?: AccountConditions[Name] | undefined },
  ): Promise<UserPage> {
    requireScope(viewer, 'admin:users');
    const { role = null, status = null } = filter;
    const conditions = { search: checkedSearch(filter.search ?? null), role, status };
    const found = await readConnection<UserRow>(
      page,
      ({ id }) => id,
      (take, beforeId) => this.records.users(conditions, this.clock(), take, beforeId),
    );
    return { ...found, conditions };
  }

  /** How many accounts a page was taken from. */
  count(viewer: Viewer | null, { conditions }: UserPage): Promise<number> {
    requireScope(viewer, 'admin:users');
    return this.records.count(conditions, this.clock());
  }
}

function checkedSearch(search: string | null): string | null {
  if (search === null) return null;
  const text = search.normalize('NFC');
  const { length } = [...text];
  if (length >= 1 && length <= MAX_SEARCH_LENGTH && !/[\p{Cc}\p{Cs}]/u.test(text)) return text;
  throw new SautiError(
    'BAD_USER_INPUT',
    `"search" has 1 to ${MAX_SEARCH_LENGTH} characters and no control characters; this one has ${length}.`,
  );
}
