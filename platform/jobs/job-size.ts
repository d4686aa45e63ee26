import { announceCredits } from '../credits/account';
import { adjustHold, InsufficientCredits } from '../credits/ledger';
import { priceOf } from '../credits/prices';
import type { PlatformTransaction } from '../database/database';
import type { EventLog } from '../events/event-log';
import type { Job } from './job';
import { JobProblem } from './job-handler';

/**
 * Notes how much there is to do in a job once that is known, in the unit of its kind, and holds what that costs instead of
 * what was held before; null leaves what is held as it is. For a running handler, in `JobContext.transaction`, which has
 * locked the job; call it behind what appends to a transcript's topic. Throws a JobProblem INSUFFICIENT_CREDITS, which ends
 * the job.
 */
export async function resizeJob(
  tx: PlatformTransaction,
  events: EventLog,
  { id, ownerId, kind }: Pick<Job, 'id' | 'ownerId' | 'kind'>,
  size: number | null,
): Promise<void> {
  const { credits: before } = await tx.job.update({ where: { id }, data: { size }, select: { credits: true } });
  const credits = size === null ? before : (priceOf(kind, size) ?? before);
  if (credits === before) return;
  await adjustHold(tx, { ownerId, jobId: id, credits }).catch(asJobProblem);
  await tx.job.update({ where: { id }, data: { credits } });
  await announceCredits(tx, events, ownerId);
}

function asJobProblem(error: unknown): never {
  if (!(error instanceof InsufficientCredits)) throw error;
  throw new JobProblem(error.problem.code, error.message, false, { cause: error });
}
