import { table } from './gateway/table';

/** One line of the report. */
export interface Figure {
  title: string;
  /** What it shall be, for people; an empty text: nothing is promised. */
  goal: string;
  value: string;
  /** Null where nothing is promised or it could not be measured. */
  isMet: boolean | null;
}

export function figuresTable(figures: readonly Figure[]): string {
  const mark = ({ isMet }: Figure): string => (isMet === null ? '' : isMet ? '✓' : '✗');
  return table(
    ['', 'goal', 'measured', ''],
    figures.map((figure) => [figure.title, figure.goal, figure.value, mark(figure)]),
  );
}

/** A time that shall be at most `limitMs`; without times it says so. */
export function timesFigure(title: string, ms: readonly number[], share: number, limitMs: number): Figure {
  const value = quantile(ms, share);
  if (value === undefined) return { title, goal: `≤ ${limitMs} ms`, value: 'not measured', isMet: null };
  return {
    title,
    goal: `≤ ${limitMs} ms`,
    value: `${value.toFixed(0)} ms (${ms.length})`,
    isMet: value <= limitMs,
  };
}

/** The value that this share of the values does not exceed; undefined of none. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}
