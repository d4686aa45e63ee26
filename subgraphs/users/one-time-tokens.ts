import { createHash, randomBytes } from 'node:crypto';
import type { OneTimeToken } from '../../platform/database/prisma-client/client';
import type { UsersTransaction } from './records';

export type OneTimeTokenRow = OneTimeToken;

/** Makes a token of 256 random bits for `lifetimeMs` and answers it; only its hash is kept. */
export async function issueToken(
  tx: UsersTransaction,
  now: Date,
  token: { kind: OneTimeTokenRow['kind']; userId: string | null; data?: object; lifetimeMs: number },
): Promise<{ token: string; expiresAt: Date }> {
  const text = randomBytes(32).toString('base64url');
  const expiresAt = new Date(now.getTime() + token.lifetimeMs);
  const { kind, userId, data = {} } = token;
  await tx.oneTimeToken.create({
    data: { tokenHash: hashOfToken(text), kind, userId, data, createdAt: now, expiresAt },
  });
  return { token: text, expiresAt };
}

/** The token of one of these kinds, locked until the transaction ends; null when it is unknown, used, or too old. */
export async function lockToken(
  tx: UsersTransaction,
  now: Date,
  text: string,
  kinds: readonly OneTimeTokenRow['kind'][],
): Promise<OneTimeTokenRow | null> {
  const tokenHash = hashOfToken(text);
  await tx.$queryRaw`select 1 from users.one_time_token where token_hash = ${tokenHash} for update`;
  const row = await tx.oneTimeToken.findUnique({ where: { tokenHash } });
  return row && !row.usedAt && row.expiresAt > now && kinds.includes(row.kind) ? row : null;
}

/** Makes a locked token worthless. */
export async function useToken(tx: UsersTransaction, now: Date, { tokenHash }: OneTimeTokenRow): Promise<void> {
  await tx.oneTimeToken.update({ where: { tokenHash }, data: { usedAt: now } });
}

/** What is kept of a random token: its SHA-256 in hex. No slow hash is needed for 256 random bits. */
export function hashOfToken(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
