import { hashOfToken, lockToken, type OneTimeTokenRow } from '../one-time-tokens';
import { lockUser, type UserRow, type UsersDatabase, type UsersTransaction } from '../records';

/** Queries about accounts and the proofs of who owns them. */
export class AccountRecords {
  constructor(private readonly database: UsersDatabase) {}

  userById(id: string): Promise<UserRow | null> {
    return this.database.user.findUnique({ where: { id } });
  }

  userByKey(emailKey: string): Promise<UserRow | null> {
    return this.database.user.findUnique({ where: { emailKey } });
  }

  userByEmailKey(tx: UsersTransaction, emailKey: string): Promise<UserRow | null> {
    return tx.user.findUnique({ where: { emailKey } });
  }

  update(tx: UsersTransaction, id: string, data: Partial<UserChanges>): Promise<UserRow> {
    return tx.user.update({ where: { id }, data });
  }

  /** The account that an unused token is for, to check what is wanted before the token is used. */
  async userOfToken(text: string, kind: OneTimeTokenRow['kind'], now: Date): Promise<UserRow | null> {
    const row = await this.database.oneTimeToken.findFirst({
      where: { tokenHash: hashOfToken(text), kind, usedAt: null, expiresAt: { gt: now } },
      include: { user: true },
    });
    return row?.user ?? null;
  }

  /**
   * A valid token with its account, both locked until the transaction ends; null without either. The account first, as
   * everywhere: whoever changes it may make its tokens worthless.
   */
  async lockTokenAndUser(
    tx: UsersTransaction,
    text: string,
    kinds: readonly OneTimeTokenRow['kind'][],
    now: Date,
  ): Promise<{ token: OneTimeTokenRow; user: UserRow } | null> {
    const found = await tx.oneTimeToken.findUnique({ where: { tokenHash: hashOfToken(text) } });
    const user = found?.userId ? await lockUser(tx, found.userId) : null;
    const token = user && (await lockToken(tx, now, text, kinds));
    return token ? { token, user } : null;
  }

  /** Makes the account's open tokens of these kinds worthless. */
  async voidTokens(
    tx: UsersTransaction,
    userId: string,
    kinds: readonly OneTimeTokenRow['kind'][],
    now: Date,
  ): Promise<void> {
    await tx.oneTimeToken.updateMany({
      where: { userId, kind: { in: [...kinds] }, usedAt: null },
      data: { usedAt: now },
    });
  }

  async isDeviceTrusted(userId: string, tokenHash: string, now: Date): Promise<boolean> {
    return (await this.database.trustedDevice.count({ where: { tokenHash, userId, expiresAt: { gt: now } } })) > 0;
  }

  /** Devices that were trusted ask for the second factor again. */
  async forgetDevices(tx: UsersTransaction, userId: string): Promise<void> {
    await tx.trustedDevice.deleteMany({ where: { userId } });
  }

  transaction<Result>(work: (tx: UsersTransaction) => Promise<Result>): Promise<Result> {
    return this.database.transaction(work);
  }
}

type UserChanges = Pick<
  UserRow,
  'email' | 'emailKey' | 'emailVerifiedAt' | 'passwordHash' | 'displayName' | 'locale' | 'timeZone'
>;
