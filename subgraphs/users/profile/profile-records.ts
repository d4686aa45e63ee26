import type { UsersDatabase, UsersTransaction, UserRow } from '../records';

/** What a profile is made of. */
export type ProfileChanges = Partial<
  Pick<UserRow, 'displayName' | 'firstName' | 'lastName' | 'birthDate' | 'avatarFileId' | 'locale' | 'timeZone'>
>;

export interface Picture {
  mimeType: string;
  sizeBytes: bigint;
}

/** Queries for profiles and preferences. */
export class ProfileRecords {
  constructor(private readonly database: UsersDatabase) {}

  transaction<Result>(work: (tx: UsersTransaction) => Promise<Result>): Promise<Result> {
    return this.database.transaction(work);
  }

  /** The account, locked until the transaction ends: changes of one account follow each other. */
  async lockUser(tx: UsersTransaction, id: string): Promise<UserRow | null> {
    await tx.$queryRaw`select 1 from users."user" where id = ${id} for update`;
    return tx.user.findUnique({ where: { id } });
  }

  async userExists(id: string): Promise<boolean> {
    return (await this.database.user.count({ where: { id } })) > 0;
  }

  updateProfile(tx: UsersTransaction, id: string, changes: ProfileChanges): Promise<UserRow> {
    return tx.user.update({ where: { id }, data: changes });
  }

  /** The next version of the preferences. As text: Prisma's own way to pass JSON assigns keys, and would lose `__proto__`. */
  async savePreferences(
    tx: UsersTransaction,
    id: string,
    { values, version, at }: { values: string; version: number; at: Date },
  ): Promise<UserRow> {
    await tx.$executeRaw`
      update users."user"
         set preferences = ${values}::jsonb, preferences_version = ${version}, preferences_at = ${at}
       where id = ${id}`;
    return tx.user.findUniqueOrThrow({ where: { id } });
  }

  /** A file of this owner, parts of others left out. */
  ownFile(tx: UsersTransaction, id: string, ownerId: string): Promise<Picture | null> {
    return tx.storedObject.findFirst({
      where: { id, ownerId, partOf: null },
      select: { mimeType: true, sizeBytes: true },
    });
  }

  /** Of these files those that are still there. */
  async existingFiles(ids: readonly string[]): Promise<string[]> {
    const rows = await this.database.$queryRaw<{ id: string }[]>`
      select id from platform.object where id = any(${[...ids]})`;
    return rows.map(({ id }) => id);
  }
}
