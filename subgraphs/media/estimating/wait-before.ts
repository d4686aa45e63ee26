import { speedOf, type Workload } from '../../../platform/jobs/job-forecast';
import type { MediaJobKind } from '../jobs/kinds';
import type { MediaTransaction } from '../records';
import { MEASURED_SPEEDS, OVERHEAD_MS } from './measured';

export type Speeds = Readonly<Record<string, number>>;

/** How fast each kind goes: as earlier jobs did, else as we have measured. */
export async function speedsOf(tx: MediaTransaction): Promise<Speeds & Record<MediaJobKind, number>> {
  const speeds = { ...MEASURED_SPEEDS };
  for (const kind of Object.keys(speeds) as MediaJobKind[]) speeds[kind] = (await speedOf(tx, kind)) ?? speeds[kind];
  return speeds;
}

/**
 * How long a job would wait for its start, in milliseconds: what is left of the running jobs, and of those before it in
 * the queue, each as long as the waiting ones are on average, divided among the places. None when nothing is before it
 * and a place is free. A job of unknown size is taken to be as long as the one that is asked about.
 */
export function waitBefore(
  { running, waiting, places }: Workload,
  { before, speeds, ownMs }: { before: number; speeds: Speeds; ownMs: number },
): number {
  if (before === 0 && running.length < places) return 0;
  const durationMs = (kind: string, size: number): number => OVERHEAD_MS + size / (speeds[kind] ?? Infinity);
  const leftMs = running.map(({ kind, size, ranMs, leftMs }) =>
    Math.max(0, leftMs ?? (size === null ? ownMs : durationMs(kind, size)) - ranMs),
  );
  const count = sum(waiting.map((line) => line.count));
  const waitingMs = sum(
    waiting.map(({ kind, count, sized, size }) =>
      sized === 0 ? count * ownMs : sized * durationMs(kind, size / sized) + (count - sized) * ownMs,
    ),
  );
  const beforeMs = count === 0 ? 0 : (before * waitingMs) / count;
  return (sum(leftMs) + beforeMs) / places;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
