/** A Markdown table; cells are padded so that it reads as text too. All columns but the first stand to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(3, heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  const line = (cells: readonly string[]): string => `| ${cells.map(pad).join(' | ')} |`;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(headings), line(rule), ...rows.map(line)].join('\n');
}

/** A number for people; a dash for one that was not measured. */
export function figure(value: number | null | undefined, digits: number): string {
  return value == null || Number.isNaN(value) ? '–' : value.toFixed(digits);
}

export function mebibytes(bytes: number | null | undefined): string {
  return figure(bytes == null ? null : bytes / 1_024 ** 2, 0);
}
