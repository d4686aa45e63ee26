import type { Identity } from '../../../platform/database/prisma-client/client';
import type { UsersDatabase, UsersTransaction, UserRow } from '../records';

export type IdentityRow = Identity;

/** Queries for linked accounts of identity providers. */
export class IdentityRecords {
  constructor(private readonly database: UsersDatabase) {}

  transaction<Result>(work: (tx: UsersTransaction) => Promise<Result>): Promise<Result> {
    return this.database.transaction(work);
  }

  /** Those of several accounts, oldest first. */
  ofUsers(userIds: readonly string[]): Promise<IdentityRow[]> {
    return this.database.identity.findMany({ where: { userId: { in: [...userIds] } }, orderBy: { id: 'asc' } });
  }

  /** Who signs in with an account of a provider. */
  async find(
    tx: UsersTransaction,
    provider: string,
    subject: string,
  ): Promise<(IdentityRow & { user: UserRow }) | null> {
    return tx.identity.findUnique({ where: { provider_subject: { provider, subject } }, include: { user: true } });
  }

  insert(
    tx: UsersTransaction,
    identity: Pick<IdentityRow, 'id' | 'userId' | 'provider' | 'subject' | 'email'>,
  ): Promise<IdentityRow> {
    return tx.identity.create({ data: identity });
  }

  /** What the provider says now of its account's address; false when the link is gone. */
  async saveEmail(tx: UsersTransaction, id: string, email: string | null): Promise<boolean> {
    const { count } = await tx.identity.updateMany({ where: { id }, data: { email } });
    return count === 1;
  }

  async remove(tx: UsersTransaction, id: string): Promise<void> {
    await tx.identity.delete({ where: { id } });
  }

  userByEmailKey(tx: UsersTransaction, emailKey: string): Promise<UserRow | null> {
    return tx.user.findUnique({ where: { emailKey } });
  }

  /** The account with its identities, locked until the transaction ends, so that two cannot each take the other's last one. */
  async lockUser(tx: UsersTransaction, id: string): Promise<(UserRow & { identities: IdentityRow[] }) | null> {
    await tx.$queryRaw`select 1 from users."user" where id = ${id} for update`;
    return tx.user.findUnique({ where: { id }, include: { identities: true } });
  }
}
