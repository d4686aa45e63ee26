import { charge, release } from '../credits/ledger';
import type { PlatformTransaction } from '../database/database';
import { putInLine, type Job, type JobFailure } from './job';
import type { JobEnding } from './job-handler';
import { readyAfter, waitingFor } from './job-needs';
import { jobOf } from './job-row';

/** What the job leaves behind is removed in the transaction that ends it. */
export type CleanUp = (tx: PlatformTransaction, job: Job, ending: JobEnding) => Promise<void>;

const DEPENDENCY_FAILED: JobFailure = {
  code: 'DEPENDENCY_FAILED',
  message: 'A job that this one needs failed or was canceled: retry that one.',
  retryable: true,
};

/** Ends a job as SUCCEEDED, spends what it costs and queues those that wait only for it; answers all that have changed. */
export async function endWithSuccess(tx: PlatformTransaction, jobId: string): Promise<Job[]> {
  const changed = [await close(tx, jobId, 'SUCCEEDED', null)];
  for (const { id } of await readyAfter(tx, jobId)) {
    const released = await tx.job.update({ where: { id }, data: { state: 'QUEUED' } });
    await putInLine(tx, released);
    changed.push(released);
  }
  const { credits, ownerId } = changed[0]!;
  if (credits > 0) await charge(tx, { ownerId, jobId });
  return changed;
}

/**
 * Ends a job without success and, in the same way, those that wait for it, and theirs in turn. These are marked with
 * DEPENDENCY_FAILED, the canceled ones too, which is how a retry finds them. What was held for them is given back. Answers
 * all that have changed.
 */
export async function endWithout(
  tx: PlatformTransaction,
  job: Job,
  ending: JobEnding,
  cleanUp: CleanUp,
): Promise<Job[]> {
  const affected = [job];
  for (const one of affected) {
    const waiting = await waitingFor(tx, one.id);
    affected.push(...waiting.filter(({ id }) => affected.every((known) => known.id !== id)));
  }
  const ended: Job[] = [];
  for (const one of affected) {
    const own = one === job ? ending : inheritedFrom(ending);
    await cleanUp(tx, one, own);
    await tx.jobOutbox.deleteMany({ where: { jobId: one.id } });
    ended.push(await close(tx, one.id, own.outcome, one === job ? ending.failure : DEPENDENCY_FAILED));
  }
  // Behind the topics that clean-ups append to: see `lockAccount`.
  for (const { id: jobId, ownerId, credits } of affected) if (credits > 0) await release(tx, { ownerId, jobId });
  return ended;
}

function inheritedFrom(ending: JobEnding): JobEnding {
  return ending.outcome === 'CANCELED' ? ending : { outcome: 'FAILED', failure: DEPENDENCY_FAILED };
}

async function close(
  tx: PlatformTransaction,
  jobId: string,
  state: 'SUCCEEDED' | 'FAILED' | 'CANCELED',
  failure: JobFailure | null,
): Promise<Job> {
  const { errorCode, errorMessage, errorRetryable } = errorColumns(failure);
  // Finished by the database's clock, as the start: the difference is what forecasts are made of.
  const [row] = await tx.$queryRaw<Record<string, unknown>[]>`
    update platform.job set state = ${state}::platform.job_state, finished_at = clock_timestamp(),
           progress = case when ${state} = 'SUCCEEDED' then 1 else progress end, stage = null, expected_at = null,
           credits = case when ${state} = 'SUCCEEDED' then credits else 0 end,
           error_code = ${errorCode}, error_message = ${errorMessage}, error_retryable = ${errorRetryable}
     where id = ${jobId} returning *`;
  return jobOf(row!);
}

/** What a row tells of the last failure; all null without one. */
export function errorColumns(failure: JobFailure | null): {
  errorCode: string | null;
  errorMessage: string | null;
  errorRetryable: boolean | null;
} {
  return {
    errorCode: failure?.code ?? null,
    errorMessage: failure?.message ?? null,
    errorRetryable: failure?.retryable ?? null,
  };
}
