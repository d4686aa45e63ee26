/** What one reader got, compared with what was committed. */
export interface Verdict {
  lost: number;
  repeated: number;
  /** Events that came before one that is older. */
  disordered: number;
  /** Cursors that no committed event has. */
  unknown: number;
}

/** Compares the cursors a reader has seen with those of its topic, each exactly once and in this order. */
export function judge(committed: readonly string[], seen: readonly string[]): Verdict {
  const known = positionsOf(committed, seen).filter((position) => position !== undefined);
  const distinct = new Set(known);
  return {
    lost: committed.length - distinct.size,
    repeated: known.length - distinct.size,
    disordered: known.filter((position, index) => index > 0 && position < known[index - 1]!).length,
    unknown: seen.length - known.length,
  };
}

/** Where in the topic, from 0, each event that was seen stands; undefined for one that is not there. */
export function positionsOf(committed: readonly string[], seen: readonly string[]): (number | undefined)[] {
  const positions = new Map(committed.map((cursor, position) => [cursor, position]));
  return seen.map((cursor) => positions.get(cursor));
}

export function sum(verdicts: readonly Verdict[]): Verdict {
  const total = (key: keyof Verdict): number => verdicts.reduce((count, verdict) => count + verdict[key], 0);
  return {
    lost: total('lost'),
    repeated: total('repeated'),
    disordered: total('disordered'),
    unknown: total('unknown'),
  };
}

/** The positions that were not seen, as ranges: `12-15, 20`. */
export function lostRanges(committed: readonly string[], seen: readonly string[]): string {
  const known = new Set(seen);
  const ranges: [from: number, to: number][] = [];
  for (const [position, cursor] of committed.entries()) {
    if (known.has(cursor)) continue;
    const last = ranges.at(-1);
    if (last?.[1] === position - 1) last[1] = position;
    else ranges.push([position, position]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}
