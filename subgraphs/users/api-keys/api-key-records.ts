import type { ApiKey } from '../../../platform/database/prisma-client/client';
import type { UserRow, UsersDatabase, UsersTransaction } from '../records';

export type ApiKeyRow = ApiKey;

/** Queries for API keys. */
export class ApiKeyRecords {
  constructor(private readonly database: UsersDatabase) {}

  /** Keys that work at that time, newest first. */
  workingKeys(userId: string, now: Date): Promise<ApiKeyRow[]> {
    return this.database.apiKey.findMany({ where: { userId, ...working(now) }, orderBy: { id: 'desc' } });
  }

  countWorkingKeys(tx: UsersTransaction, userId: string, now: Date): Promise<number> {
    return tx.apiKey.count({ where: { userId, ...working(now) } });
  }

  insertKey(
    tx: UsersTransaction,
    key: Pick<ApiKeyRow, 'id' | 'userId' | 'name' | 'prefix' | 'keyHash' | 'scopes' | 'createdAt' | 'expiresAt'>,
  ): Promise<ApiKeyRow> {
    return tx.apiKey.create({ data: key });
  }

  /** Revokes a working key of the account; null when it has none with this ID. */
  async revokeKey(tx: UsersTransaction, userId: string, id: string, now: Date): Promise<ApiKeyRow | null> {
    const { count } = await tx.apiKey.updateMany({ where: { id, userId, ...working(now) }, data: { revokedAt: now } });
    return count === 1 ? tx.apiKey.findUnique({ where: { id } }) : null;
  }

  keyWithUser(keyHash: string): Promise<(ApiKeyRow & { user: UserRow }) | null> {
    return this.database.apiKey.findUnique({ where: { keyHash }, include: { user: true } });
  }

  /** Notes a use unless one after `since` is noted: a busy key is not a row that everybody writes. */
  async touchKey(id: string, now: Date, since: Date): Promise<void> {
    await this.database.apiKey.updateMany({
      where: { id, OR: [{ lastUsedAt: null }, { lastUsedAt: { lt: since } }] },
      data: { lastUsedAt: now },
    });
  }
}

function working(now: Date) {
  return { revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] };
}
