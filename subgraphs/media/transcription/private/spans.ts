/** Words `from` up to, and without, `to`. */
export interface Span {
  from: number;
  to: number;
}

/** The spans in the order of the words; of one that overlaps others before it in the list, what they leave. */
export function withoutOverlaps<Found extends Span>(spans: readonly Found[]): Found[] {
  const kept: Found[] = [];
  for (const span of spans) {
    const parts = kept.reduce<Found[]>((left, taken) => left.flatMap((part) => remainderOf(part, taken)), [span]);
    kept.push(...parts);
  }
  return kept.sort((one, other) => one.from - other.from);
}

function remainderOf<Found extends Span>(span: Found, taken: Span): Found[] {
  if (span.to <= taken.from || taken.to <= span.from) return [span];
  const before = { ...span, to: taken.from };
  const behind = { ...span, from: taken.to };
  return [before, behind].filter(({ from, to }) => from < to);
}
