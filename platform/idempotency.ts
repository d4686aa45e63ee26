import { createHash } from 'node:crypto';
import type { PlatformTransaction } from './database/database';
import { UserProblemError } from './errors';

/** How long a key is remembered. */
export const IDEMPOTENCY_MS = 24 * 3_600_000;
const MAX_KEY_LENGTH = 255;
const KEY_PATH = ['input', 'idempotencyKey'];

export interface IdempotentCall {
  ownerId: string;
  /** Name of the mutation. */
  operation: string;
  key: string | null | undefined;
  /** What must be equal for a retry to be the same call. */
  input: unknown;
}

/**
 * Claims a client's idempotency key inside the transaction that does the work. Answers the id an earlier call with the
 * same input resulted in, or null when this call shall do the work and its result is `resultId`. A concurrent call with
 * the key waits here until the first one has committed. The same key with another input is IDEMPOTENCY_MISMATCH.
 */
export async function claimIdempotencyKey(
  tx: PlatformTransaction,
  call: IdempotentCall,
  resultId: string,
): Promise<string | null> {
  const { key } = call;
  if (key == null) return null;
  checkKey(key);
  const inputHash = createHash('sha256').update(JSON.stringify(call.input)).digest('hex');
  const expired = new Date(Date.now() - IDEMPOTENCY_MS);
  await tx.$executeRaw`delete from platform.idempotency_key
    where owner_id = ${call.ownerId} and operation = ${call.operation} and key = ${key} and created_at < ${expired}`;
  const inserted =
    await tx.$executeRaw`insert into platform.idempotency_key (owner_id, operation, key, input_hash, result_id)
    values (${call.ownerId}, ${call.operation}, ${key}, ${inputHash}, ${resultId}) on conflict do nothing`;
  if (inserted === 1) return null;
  const earlier = await tx.idempotencyKey.findUniqueOrThrow({
    where: { ownerId_operation_key: { ownerId: call.ownerId, operation: call.operation, key } },
  });
  if (earlier.inputHash !== inputHash) {
    throw new UserProblemError({
      code: 'IDEMPOTENCY_MISMATCH',
      message: 'This idempotency key was used before with another input. Use a new key.',
      path: KEY_PATH,
    });
  }
  return earlier.resultId;
}

/**
 * Whether an earlier call has claimed the key, whatever its input was: then the call may be a repetition, and what only
 * a first call must meet must not refuse it before its input is complete. Claims nothing.
 */
export async function isIdempotencyKeyClaimed(
  tx: Pick<PlatformTransaction, 'idempotencyKey'>,
  { ownerId, operation, key }: Omit<IdempotentCall, 'input'>,
): Promise<boolean> {
  if (key == null) return false;
  checkKey(key);
  const createdAt = { gte: new Date(Date.now() - IDEMPOTENCY_MS) };
  return (await tx.idempotencyKey.count({ where: { ownerId, operation, key, createdAt } })) > 0;
}

function checkKey(key: string): void {
  if (key.length > 0 && key.length <= MAX_KEY_LENGTH && !key.includes('\0')) return;
  throw new UserProblemError({
    code: 'INVALID_INPUT',
    message: `An idempotency key has 1 to ${MAX_KEY_LENGTH} characters and no NUL.`,
    path: KEY_PATH,
  });
}
