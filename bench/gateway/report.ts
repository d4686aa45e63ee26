import type { QueryFigures, TargetFigures } from './rounds';

const MEBIBYTE = 1_024 ** 2;

/** The table of all targets for each query. */
export function figuresTables(figures: readonly TargetFigures[]): string {
  const queries = figures[0]?.queries.map(({ query }) => query) ?? [];
  return queries
    .map((query) => {
      const rows = figures.map((target) => targetRow(target, target.queries.find((entry) => entry.query === query)!));
      const connections = [...(figures[0]?.queries[0]?.byConnections.keys() ?? [])];
      return `### ${query}\n\n${table(headings(connections), rows)}`;
    })
    .join('\n\n');
}

function headings(connections: readonly number[]): string[] {
  return [
    'target',
    'in-flight sharing',
    'calls/request',
    ...connections.map((count) => `CPU ms/request at ${count}`),
    ...connections.map((count) => `requests/s at ${count}`),
    ...connections.map((count) => `p50 / p95 / p99 ms at ${count}`),
    'RSS / peak MiB',
  ];
}

function targetRow({ target, rssBytes, peakBytes }: TargetFigures, { byConnections }: QueryFigures): string[] {
  const all = [...byConnections.values()];
  return [
    target.title,
    target.sharesInFlight === null ? '–' : target.sharesInFlight ? 'on' : 'off',
    [...new Set(all.map(({ callsPerRequest }) => figure(callsPerRequest, 1)))].join(', '),
    ...all.map(({ cpuMsPerRequest }) => figure(cpuMsPerRequest, 3)),
    ...all.map(({ requestsPerSecond }) => figure(requestsPerSecond, 0)),
    ...all.map(({ p50Ms, p95Ms, p99Ms }) => [p50Ms, p95Ms, p99Ms].map((ms) => figure(ms, 1)).join(' / ')),
    `${figure(rssBytes / MEBIBYTE, 0)} / ${figure(peakBytes / MEBIBYTE, 0)}`,
  ];
}

/** A Markdown table; cells are padded so that it can be read as text too. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(3, heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(headings), line(rule), ...rows.map(line)].join('\n');
}

export function figure(value: number, digits: number): string {
  return value.toFixed(digits);
}
