import type { Prisma } from '../../../platform/database/prisma-client/client';
import type { StoredRole } from '../../../platform/identity/scopes';
import type { UserRow, UsersDatabase, UsersTransaction } from '../records';

/** Which accounts an administrator asks for; null: any. */
export interface AccountConditions {
  /** Part of the address or of the name; no character is a wildcard. */
  search: string | null;
  role: StoredRole | 'USER' | null;
  status: UserRow['status'] | null;
}

/** Queries over all accounts. */
export class AdministrationRecords {
  constructor(private readonly database: UsersDatabase) {}

  transaction<Result>(work: (tx: UsersTransaction) => Promise<Result>): Promise<Result> {
    return this.database.transaction(work);
  }

  /** Newest first, below `beforeId`. */
  users(conditions: AccountConditions, now: Date, take: number, beforeId: string | null): Promise<UserRow[]> {
    return this.database.user.findMany({
      where: { AND: [conditionsOf(conditions, now), beforeId === null ? {} : { id: { lt: beforeId } }] },
      orderBy: { id: 'desc' },
      take,
    });
  }

  count(conditions: AccountConditions, now: Date): Promise<number> {
    return this.database.user.count({ where: conditionsOf(conditions, now) });
  }

  /** One change of what accounts may do at a time: whether somebody is the last administrator must not change meanwhile. */
  async lockAccess(tx: UsersTransaction): Promise<void> {
    await tx.$queryRaw`select pg_advisory_xact_lock(hashtext('users.access'))::text`;
  }

  /** Whether somebody other than this account can administrate. */
  async hasOtherAdministrator(tx: UsersTransaction, id: string, now: Date): Promise<boolean> {
    const where = { AND: [{ id: { not: id }, roles: { has: 'ADMIN' as const } }, isUsable(now)] };
    return (await tx.user.count({ where })) > 0;
  }
}

function conditionsOf({ search, role, status }: AccountConditions, now: Date): Prisma.UserWhereInput {
  return {
    AND: [
      search === null ? {} : { OR: [contains('email', search), contains('displayName', search)] },
      role === null || role === 'USER' ? {} : { roles: { has: role } },
      status === null ? {} : status === 'ACTIVE' ? isUsable(now) : hasStatus(status, now),
    ],
  };
}

/** A suspension that is over counts no more, though its account has not signed in since. */
function isUsable(now: Date): Prisma.UserWhereInput {
  return { OR: [{ status: 'ACTIVE' }, { status: 'SUSPENDED', suspensionEndsAt: { lte: now } }] };
}

function hasStatus(status: UserRow['status'], now: Date): Prisma.UserWhereInput {
  if (status !== 'SUSPENDED') return { status };
  return { status, OR: [{ suspensionEndsAt: null }, { suspensionEndsAt: { gt: now } }] };
}

/** Prisma hands the text to ILIKE as it is, where %, _ and the backslash have a meaning of their own. */
function contains(field: 'email' | 'displayName', search: string): Prisma.UserWhereInput {
  return { [field]: { contains: search.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' } };
}
