import { UserProblemError } from '../../../platform/errors';
import { claimIdempotencyKey, type IdempotentCall } from '../../../platform/idempotency';
import type { Job } from '../../../platform/jobs/job';
import { NeedError } from '../../../platform/jobs/job-needs';
import type { MediaProblemCode } from '../errors';
import type { MediaTransaction } from '../records';

/** A call of a mutation, as idempotency sees it; what of the input is null counts as left out. */
export interface Call extends Omit<IdempotentCall, 'input'> {
  input: object;
}

/**
 * Begins jobs with these ids, or answers those of an earlier call with the same key and input. Throws what
 * {@link claimIdempotencyKey} does; `begin` runs in the same transaction and may refuse by throwing.
 */
export async function jobsOnce(
  tx: MediaTransaction,
  call: Call,
  jobIds: readonly string[],
  begin: () => Promise<Job[]>,
): Promise<Job[]> {
  const earlier = await claimIdempotencyKey(tx, { ...call, input: withoutNulls(call.input) }, jobIds.join(' '));
  if (earlier !== null) return jobsInOrder(tx, earlier.split(' ').filter(Boolean));
  try {
    return await begin();
  } catch (error) {
    // What is waited for has failed since it was looked at.
    if (!(error instanceof NeedError)) throw error;
    throw new UserProblemError<MediaProblemCode>({ code: 'INVALID_STATE', message: error.message }, { cause: error });
  }
}

/** The same input however its absence of values is written: a variable that is null says no more than none. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, inner]) => inner != null);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutNulls(inner)]));
}

async function jobsInOrder(tx: MediaTransaction, ids: readonly string[]): Promise<Job[]> {
  const rows = await tx.job.findMany({ where: { id: { in: [...ids] } } });
  return ids.flatMap((id) => rows.filter((row) => row.id === id));
}
