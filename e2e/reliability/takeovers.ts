import type { Happened } from './faults';
import type { History, Written } from './history';
import { groupBy } from './verdict';

export interface Takeovers {
  /** From each kill to the return of each job that the killed worker was at into the queue; ascending, as all here. */
  toQueuedMs: number[];
  /** From each kill to the start of the next attempt. */
  toStartedMs: number[];
  /** The same where the database was away meanwhile; these are not among the others. */
  duringOutagesMs: number[];
}

/**
 * How long jobs of killed workers waited, by the times of the events that tell of it. An attempt that was killed before it
 * committed its first row does not say whose it was, and is left out.
 */
export function takeoversOf({ written, announced }: History, { kills, outages }: Happened): Takeovers {
  const firstTold = new Map<string, number>();
  for (const { job, atMs } of announced) {
    const key = `${job.jobId} ${job.state} ${job.attempt}`;
    if (!firstTold.has(key)) firstTold.set(key, atMs);
  }
  const rowsOf = groupBy(written, ({ worker }) => worker);
  const takeovers: Takeovers = { toQueuedMs: [], toStartedMs: [], duringOutagesMs: [] };
  for (const { pid, atMs } of kills) {
    const attempts = groupBy(rowsOf.get(pid) ?? [], ({ jobId, attempt }) => `${jobId} ${attempt}`);
    for (const [{ jobId, attempt }] of attempts.values() as Iterable<[Written]>) {
      const queuedMs = firstTold.get(`${jobId} QUEUED ${attempt}`);
      const startedMs = firstTold.get(`${jobId} RUNNING ${attempt + 1}`);
      if (queuedMs === undefined || startedMs === undefined || queuedMs < atMs) continue;
      if (outages.some(({ fromMs, toMs }) => fromMs < startedMs && toMs > atMs)) {
        takeovers.duringOutagesMs.push(startedMs - atMs);
      } else {
        takeovers.toQueuedMs.push(queuedMs - atMs);
        takeovers.toStartedMs.push(startedMs - atMs);
      }
    }
  }
  Object.values(takeovers).forEach((times: number[]) => times.sort((one, other) => one - other));
  return takeovers;
}

/** The value below which that share of the ascending values lies; null when there are none. */
export function quantile(ascending: readonly number[], share: number): number | null {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? null;
}
