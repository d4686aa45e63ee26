import type { SliceDatabase, SliceTransaction } from '../../platform/database/database';
import type { NewSigningKey } from './keys/generate-key';
import type { RefreshToken, Session, SigningKey, User } from '../../platform/database/prisma-client/client';

export type UserRow = User;
export type SessionRow = Session;
export type RefreshTokenRow = RefreshToken;
export type SigningKeyRow = SigningKey;
/** Sessions of one user: all, one, or all but one, by id. */
export type WhichSessions = 'all' | { equals: string } | { not: string };

export const USERS_MODELS = [
  'user',
  'session',
  'refreshToken',
  'signingKey',
  'oneTimeToken',
  'trustedDevice',
  'mfaFactor',
  'recoveryCode',
  'identity',
  'apiKey',
  'attemptCount',
  'auditEvent',
  'accountReceipt',
] as const;
type UsersModel = (typeof USERS_MODELS)[number];
export type UsersDatabase = SliceDatabase<UsersModel>;
export type UsersTransaction = SliceTransaction<UsersModel>;

/** Rows deleted in one transaction; a statement may take 15 s. Rows that are locked (by another worker) are left to it. */
const DELETE_BATCH = 1_000;

/** What a new account is made of; the rest has defaults. */
export type NewUser = Pick<
  UserRow,
  'id' | 'email' | 'emailKey' | 'passwordHash' | 'displayName' | 'locale' | 'timeZone'
> &
  Partial<Pick<UserRow, 'emailVerifiedAt'>>;

/** Queries for accounts, sessions and keys; each folder of a feature has its own beside them. */
export class UserRecords {
  constructor(private readonly database: UsersDatabase) {}

  transaction<Result>(work: (tx: UsersTransaction) => Promise<Result>): Promise<Result> {
    return this.database.transaction(work);
  }

  userByEmailKey(emailKey: string): Promise<UserRow | null> {
    return this.database.user.findUnique({ where: { emailKey } });
  }

  usersByIds(ids: readonly string[]): Promise<UserRow[]> {
    return this.database.user.findMany({ where: { id: { in: [...ids] } } });
  }

  insertUser(tx: UsersTransaction, user: NewUser): Promise<UserRow> {
    return tx.user.create({ data: user });
  }

  insertSession(tx: UsersTransaction, session: Omit<SessionRow, 'endedAt'>): Promise<SessionRow> {
    return tx.session.create({ data: session });
  }

  /** Sessions that live at `now`, newest first, below `beforeId`. */
  liveSessions(userId: string, now: Date, take: number, beforeId: string | null): Promise<SessionRow[]> {
    return this.database.session.findMany({
      where: { userId, endedAt: null, expiresAt: { gt: now }, ...(beforeId ? { id: { lt: beforeId } } : {}) },
      orderBy: { id: 'desc' },
      take,
    });
  }

  sessionsByIds(ids: readonly string[], userId: string): Promise<SessionRow[]> {
    return this.database.session.findMany({ where: { id: { in: [...ids] }, userId } });
  }

  /** Ends the user's sessions that live at `now` and match; answers their ids. */
  async endSessions(tx: UsersTransaction, userId: string, which: WhichSessions, now: Date): Promise<string[]> {
    const ended = await tx.session.updateManyAndReturn({
      where: { userId, endedAt: null, expiresAt: { gt: now }, ...(which === 'all' ? {} : { id: which }) },
      data: { endedAt: now },
      select: { id: true },
    });
    return ended.map(({ id }) => id);
  }

  insertRefreshToken(
    tx: UsersTransaction,
    token: { tokenHash: string; sessionId: string; position: number },
  ): Promise<unknown> {
    return tx.refreshToken.create({ data: token });
  }

  /** The token that came behind another one, or null. */
  refreshToken(tx: UsersTransaction, tokenHash: string): Promise<RefreshTokenRow | null> {
    return tx.refreshToken.findUnique({ where: { tokenHash } });
  }

  /**
   * The refresh token with its session and user, as they are from now on: both stay so until the transaction ends. Parallel
   * uses of the session's tokens see each other, none gets past an end of the session, and none reads rights that are just
   * being changed. Whoever changes both locks the account first, too.
   */
  async lockRefreshToken(tx: UsersTransaction, tokenHash: string) {
    await tx.$queryRaw`
      select 1 from users."user"
       where id = (select s.user_id from users.session s join users.refresh_token t on t.session_id = s.id
                    where t.token_hash = ${tokenHash}) for share`;
    await tx.$queryRaw`
      select 1 from users.session
       where id = (select session_id from users.refresh_token where token_hash = ${tokenHash}) for update`;
    return tx.refreshToken.findUnique({ where: { tokenHash }, include: { session: { include: { user: true } } } });
  }

  async useRefreshToken(tx: UsersTransaction, tokenHash: string, usedAt: Date): Promise<void> {
    await tx.refreshToken.update({ where: { tokenHash }, data: { usedAt } });
  }

  renewSession(
    tx: UsersTransaction,
    id: string,
    seen: Pick<SessionRow, 'lastSeenAt' | 'expiresAt'> & Partial<Pick<SessionRow, 'userAgent' | 'ipAddress'>>,
  ): Promise<SessionRow> {
    return tx.session.update({ where: { id }, data: seen });
  }

  /** Answers how many; their refresh tokens go with them. */
  deleteSessionsOverBefore(instant: Date): Promise<number> {
    return this.deleteInBatches(
      (tx) => tx.$executeRaw`
        delete from users.session where id in (
          select id from users.session where ended_at < ${instant} or expires_at < ${instant} limit ${DELETE_BATCH}
             for update skip locked)`,
    );
  }

  /** The newest two of each session stay: the newest but one may be used again when its answer was lost. */
  deleteRefreshTokensUsedBefore(instant: Date): Promise<number> {
    return this.deleteInBatches(
      (tx) => tx.$executeRaw`
        delete from users.refresh_token where token_hash in (
          select token_hash from users.refresh_token as old
           where used_at < ${instant}
             and position < (select max(position) - 1 from users.refresh_token where session_id = old.session_id)
           limit ${DELETE_BATCH} for update skip locked)`,
    );
  }

  /** Counts one attempt in the window that is open for the key, or opens one until `expiresAt`. */
  async countAttempt(key: string, now: Date, expiresAt: Date): Promise<{ count: number; expiresAt: Date }> {
    const [counted] = await this.database.$queryRaw<[{ count: number; expiresAt: Date }]>`
      insert into users.attempt_count as present (key, count, expires_at) values (${key}, 1, ${expiresAt})
      on conflict (key) do update set
        count = case when present.expires_at <= ${now} then 1 else present.count + 1 end,
        expires_at = case when present.expires_at <= ${now} then excluded.expires_at else present.expires_at end
      returning count, expires_at as "expiresAt"`;
    return counted;
  }

  async clearAttempts(key: string): Promise<void> {
    await this.database.attemptCount.deleteMany({ where: { key } });
  }

  /** Answers how many. */
  deleteAttemptsBefore(instant: Date): Promise<number> {
    return this.deleteInBatches(
      (tx) => tx.$executeRaw`
        delete from users.attempt_count where key in (
          select key from users.attempt_count where expires_at < ${instant} limit ${DELETE_BATCH} for update skip locked)`,
    );
  }

  /** Answers how many. */
  deleteTokensExpiredBefore(instant: Date): Promise<number> {
    return this.deleteInBatches(
      (tx) => tx.$executeRaw`
        delete from users.one_time_token where token_hash in (
          select token_hash from users.one_time_token where expires_at < ${instant} limit ${DELETE_BATCH}
             for update skip locked)`,
    );
  }

  signingKeys(): Promise<SigningKeyRow[]> {
    return this.database.signingKey.findMany({ orderBy: { createdAt: 'desc' } });
  }

  /** Writes a key unless, seen alone, it is not needed any more: of processes that start at once one makes it. Answers all keys. */
  insertSigningKey(
    key: NewSigningKey,
    isNeeded: (keys: SigningKeyRow[]) => Promise<boolean>,
  ): Promise<SigningKeyRow[]> {
    return this.withLockedKeys(async (tx, keys) => {
      if (!(await isNeeded(keys))) return keys;
      return [await tx.signingKey.create({ data: key }), ...keys];
    });
  }

  /** Writes a key; those that nobody has retired retire at that time. */
  replaceSigningKeys(key: NewSigningKey, retiredAt: Date): Promise<void> {
    return this.withLockedKeys(async (tx) => {
      await tx.signingKey.updateMany({ where: { retiredAt: null }, data: { retiredAt } });
      await tx.signingKey.create({ data: key });
    });
  }

  /**
   * Retires a key at that time, or leaves it at an earlier one; answers at which. `check` sees all keys, and throws when this
   * one may not be retired.
   */
  retireSigningKey(kid: string, retiredAt: Date, check: (keys: SigningKeyRow[]) => void): Promise<Date> {
    return this.withLockedKeys(async (tx, keys) => {
      check(keys);
      const earlier = keys.find((key) => key.kid === kid)?.retiredAt;
      if (earlier && earlier < retiredAt) return earlier;
      await tx.signingKey.update({ where: { kid }, data: { retiredAt } });
      return retiredAt;
    });
  }

  /** Another process may have been faster; then it has sealed the same. */
  async sealSigningKey(kid: string, plain: string, privateKey: string): Promise<void> {
    await this.database.signingKey.updateMany({ where: { kid, privateKey: plain }, data: { privateKey } });
  }

  private withLockedKeys<Result>(
    work: (tx: UsersTransaction, keys: SigningKeyRow[]) => Promise<Result>,
  ): Promise<Result> {
    return this.database.transaction(async (tx) => {
      await tx.$executeRaw`select pg_advisory_xact_lock(hashtext('users.signing_key'))`;
      return work(tx, await tx.signingKey.findMany({ orderBy: { createdAt: 'desc' } }));
    });
  }

  private async deleteInBatches(deleteBatch: (tx: UsersTransaction) => Promise<number>): Promise<number> {
    for (let total = 0; ;) {
      const count = await this.transaction(deleteBatch);
      if (count === 0) return total;
      total += count;
    }
  }
}

/**
 * The account, locked until the transaction ends: what is decided about it holds until it is written. Rows that refer to it
 * can be written meanwhile.
 */
export async function lockUser(tx: UsersTransaction, id: string): Promise<UserRow | null> {
  await tx.$queryRaw`select 1 from users."user" where id = ${id} for no key update`;
  return tx.user.findUnique({ where: { id } });
}

/** The same, for who may call off the account's deletion: behind the job that deletes it, in the order the job takes them. */
export async function lockUserAndDeletion(tx: UsersTransaction, id: string): Promise<UserRow | null> {
  await tx.$queryRaw`
    select 1 from platform.job where id = (select deletion_job_id from users."user" where id = ${id}) for no key update`;
  return lockUser(tx, id);
}
