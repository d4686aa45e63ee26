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

/**
 * Finds what overlaps a stretch, in the order of the beginnings, without looking at all there is: a transcript of hours has
 * thousands of segments, and other work of the process waits meanwhile.
 */
export class Timeline<Kind extends Stretch> {
  private readonly sorted: readonly Kind[];
  private readonly longestMs: number;

  constructor(stretches: readonly Kind[]) {
    this.sorted = [...stretches].sort((one, other) => one.startMs - other.startMs);
    this.longestMs = stretches.reduce((longest, stretch) => Math.max(longest, lengthMs(stretch)), 0);
  }

  overlapping(stretch: Stretch): Kind[] {
    const found: Kind[] = [];
    for (let at = this.firstFrom(stretch.startMs - this.longestMs); at < this.sorted.length; at++) {
      const other = this.sorted[at]!;
      if (other.startMs >= stretch.endMs) break;
      if (overlapMs(stretch, other) > 0) found.push(other);
    }
    return found;
  }

  /** Place of the first one that begins at this moment or later. */
  private firstFrom(startMs: number): number {
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle]!.startMs < startMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** How much of a stretch lies in at least one of those that overlap it, which come in the order of their beginnings. */
export function coveredMs(one: Stretch, overlapping: readonly Stretch[]): number {
  let covered = 0;
  let upTo = one.startMs;
  for (const { startMs, endMs } of overlapping) {
    const until = Math.min(one.endMs, endMs);
    covered += Math.max(0, until - Math.max(upTo, startMs));
    upTo = Math.max(upTo, until);
  }
  return covered;
}
