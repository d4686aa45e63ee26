import { announceCredits } from '../credits/account';
import { adjustHold, InsufficientCredits } from '../credits/ledger';
import { priceOf } from '../credits/prices';
import type { PlatformTransaction } from '../database/database';
import type { EventLog } from '../events/event-log';
import { JobProblem, type JobContext } from './job-handler';

/**
 * Notes how much there is to do in a running job once that is known, in the unit of its kind, and holds what that costs
 * instead of what was held before; null leaves what is held as it is. Throws JobLost, and a JobProblem INSUFFICIENT_CREDITS,
 * which ends the job. The size stays noted then, so that another try asks for what it really costs.
 */
export async function resizeJob(
  { job: { id, ownerId, kind }, transaction }: Pick<JobContext<PlatformTransaction>, 'job' | 'transaction'>,
  events: EventLog,
  size: number | null,
): Promise<void> {
  const { credits: before } = await transaction((tx) => tx.job.update({ where: { id }, data: { size } }));
  const credits = size === null ? before : (priceOf(kind, size) ?? before);
  if (credits === before) return;
  await transaction(async (tx) => {
    await adjustHold(tx, { ownerId, jobId: id, credits });
    await tx.job.update({ where: { id }, data: { credits } });
    await announceCredits(tx, events, ownerId);
  }).catch(asJobProblem);
}

function asJobProblem(error: unknown): never {
  if (!(error instanceof InsufficientCredits)) throw error;
  throw new JobProblem(error.problem.code, error.message, false, { cause: error });
}
