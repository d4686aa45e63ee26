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
  const positions = new Map(committed.map((cursor, position) => [cursor, position]));
  const known = seen.flatMap((cursor) => positions.get(cursor) ?? []);
  const distinct = new Set(known);
  return {
    lost: committed.length - distinct.size,
    repeated: known.length - distinct.size,
    disordered: known.filter((position, index) => index > 0 && position < known[index - 1]!).length,
    unknown: seen.length - known.length,
  };
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
