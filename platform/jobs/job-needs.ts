import type { PlatformTransaction } from '../database/database';
import type { Job, JobState } from '../database/prisma-client/client';

/** A job names a need that is unknown, somebody else's, or has ended without success (`state`). */
export class NeedError extends Error {
  readonly code: 'NOT_FOUND' | 'DEPENDENCY_FAILED';

  constructor(
    readonly neededId: string,
    readonly state: JobState | null,
  ) {
    super(
      state === null
        ? `There is no job ${neededId} of this owner to wait for.`
        : `The job ${neededId} that this one needs is ${state}: retry that one first.`,
    );
    this.name = 'NeedError';
    this.code = state === null ? 'NOT_FOUND' : 'DEPENDENCY_FAILED';
  }
}

/**
 * Whether all needs have succeeded. Locks them to the end of the transaction against ending, so that whoever ends one
 * afterwards sees the job that is now written to wait for it. Throws {@link NeedError}.
 *
 * Jobs are locked before the jobs that need them, here and below: no two transactions wait for each other.
 */
export async function needsHaveSucceeded(
  tx: PlatformTransaction,
  ownerId: string,
  ids: readonly string[],
): Promise<boolean> {
  if (ids.length === 0) return true;
  const needs = await tx.$queryRaw<{ id: string; state: JobState }[]>`
    select id, state::text as state from platform.job where owner_id = ${ownerId} and id = any(${[...ids]}) order by id for share`;
  for (const id of ids) {
    const state = needs.find((need) => need.id === id)?.state ?? null;
    if (state === null || state === 'FAILED' || state === 'CANCELED') throw new NeedError(id, state);
  }
  return needs.every(({ state }) => state === 'SUCCEEDED');
}

export async function needsOf(tx: PlatformTransaction, jobId: string): Promise<string[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    select needed_id as id from platform.job_need where job_id = ${jobId}`;
  return rows.map(({ id }) => id);
}

/** Locks the jobs that wait for this one, and answers them. */
export async function waitingFor(tx: PlatformTransaction, jobId: string): Promise<Job[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    select j.id from platform.job j join platform.job_need n on n.job_id = j.id
     where n.needed_id = ${jobId} and j.state = 'WAITING' order by j.id for no key update of j`;
  return rowsOf(tx, rows);
}

/** Of the jobs that wait for this one, which has just succeeded, those whose needs have now all succeeded. */
export async function readyAfter(tx: PlatformTransaction, jobId: string): Promise<Job[]> {
  const waiting = await waitingFor(tx, jobId);
  if (waiting.length === 0) return [];
  // Only after the lock: whoever has ended another need at the same time has committed by now, or waits for this lock.
  const blocked = await tx.$queryRaw<{ id: string }[]>`
    select distinct n.job_id as id from platform.job_need n join platform.job j on j.id = n.needed_id
     where n.job_id = any(${waiting.map(({ id }) => id)}) and j.state <> 'SUCCEEDED'`;
  return waiting.filter((job) => !blocked.some(({ id }) => id === job.id));
}

/** Locks the jobs that ended because this one, now retried, had ended without success, if all they need may still succeed. */
export async function endedWith(tx: PlatformTransaction, jobId: string): Promise<Job[]> {
  const rows = await tx.$queryRaw<{ id: string }[]>`
    select j.id from platform.job j join platform.job_need n on n.job_id = j.id
     where n.needed_id = ${jobId} and j.state in ('FAILED', 'CANCELED') and j.error_code = 'DEPENDENCY_FAILED'
       and not exists (select 1 from platform.job_need other join platform.job o on o.id = other.needed_id
                        where other.job_id = j.id and o.state in ('FAILED', 'CANCELED'))
     order by j.id for no key update of j`;
  return rowsOf(tx, rows);
}

function rowsOf(tx: PlatformTransaction, rows: readonly { id: string }[]): Promise<Job[]> {
  if (rows.length === 0) return Promise.resolve([]);
  return tx.job.findMany({ where: { id: { in: rows.map(({ id }) => id) } }, orderBy: { id: 'asc' } });
}
