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
  const sorted = [...ms].sort((one, other) => one - other);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (value === undefined) return { title, goal: `≤ ${limitMs} ms`, value: 'not measured', isMet: null };
  return {
    title,
    goal: `≤ ${limitMs} ms`,
    value: `${value.toFixed(0)} ms (${sorted.length})`,
    isMet: value <= limitMs,
  };
}
