/** A stretch of a recording; milliseconds. Channels lie beside each other and never overlap. */
export interface Stretch {
  startMs: number;
  endMs: number;
  channel?: number;
}

/** At least 1: what has no length overlaps nothing, and is no half of anything. */
export function lengthMs({ startMs, endMs }: Stretch): number {
  return Math.max(1, endMs - startMs);
}

export function overlapMs(one: Stretch, other: Stretch): number {
  if ((one.channel ?? 0) !== (other.channel ?? 0)) return 0;
  return Math.max(0, Math.min(one.endMs, other.endMs) - Math.max(one.startMs, other.startMs));
}

/** How much of a stretch lies in at least one of the others. */
export function coveredMs(one: Stretch, others: readonly Stretch[]): number {
  const shared = others.filter((other) => overlapMs(one, other) > 0).sort((a, b) => a.startMs - b.startMs);
  let covered = 0;
  let upTo = one.startMs;
  for (const { startMs, endMs } of shared) {
    const until = Math.min(one.endMs, endMs);
    covered += Math.max(0, until - Math.max(upTo, startMs));
    upTo = Math.max(upTo, until);
  }
  return covered;
}
