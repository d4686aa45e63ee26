import type { HostileFigures } from './hostile';
import type { Measurement } from './measure';
import type { QueryFigures, TargetFigures } from './rounds';
import { figure, mebibytes, table } from './table';

/** One table for each query, with all targets. Empty when nothing was measured. */
export function figuresTables(figures: readonly TargetFigures[]): string {
  const [first] = figures;
  if (!first) return '';
  return first.queries
    .map(({ query, byConnections }) => {
      const rows = figures.map((target) =>
        targetRow(
          target,
          target.queries.find((entry) => entry.query === query)!,
        ),
      );
      return `### ${query}\n\n${table(headings([...byConnections.keys()]), rows)}${notes(figures, query)}`;
    })
    .join('\n\n');
}

function headings(connections: readonly number[]): string[] {
  const counts = connections.join(' / ');
  return [
    'target',
    'shares calls in flight',
    'calls/request',
    `CPU ms/request at ${counts}`,
    `requests/s at ${counts}`,
    ...connections.map((count) => `p50 / p95 / p99 ms at ${count}`),
    'RSS / peak MiB',
  ];
}

function targetRow({ target, rssBytes, peakBytes }: TargetFigures, { byConnections }: QueryFigures): string[] {
  const all = [...byConnections.values()];
  const join = (field: keyof Measurement, digits: number): string =>
    all.map((measurement) => figure(measurement[field], digits)).join(' / ');
  const calls = all.map(({ callsPerRequest }) => figure(callsPerRequest, 1));
  return [
    target.title,
    target.sharesInFlight === null ? '–' : target.sharesInFlight ? 'yes' : 'no',
    [...new Set(calls)].length === 1 ? calls[0]! : calls.join(' / '),
    join('cpuMsPerRequest', 3),
    join('requestsPerSecond', 0),
    ...all.map(({ p50Ms, p95Ms, p99Ms }) => [p50Ms, p95Ms, p99Ms].map((ms) => figure(ms, 1)).join(' / ')),
    `${mebibytes(rssBytes)} / ${mebibytes(peakBytes)}`,
  ];
}

function notes(figures: readonly TargetFigures[], query: string): string {
  const lines = figures.flatMap(({ target, queries }) => {
    const measured = [...(queries.find((entry) => entry.query === query)?.byConnections.values() ?? [])];
    const standInMs = Math.min(...measured.map(({ standInMsPerRequest }) => standInMsPerRequest));
    const unprepared = Math.max(...measured.map(({ unpreparedCalls }) => unpreparedCalls));
    return [
      ...(target.holdsSubgraphs
        ? [`Of the CPU time of "${target.title}", ${figure(standInMs, 3)} ms are the stand-ins for its subgraphs.`]
        : []),
      ...(unprepared > 0
        ? [
            `"${target.title}" made up to ${figure(unprepared, 0)} calls that were new to the subgraphs, which slows it.`,
          ]
        : []),
    ];
  });
  return lines.map((line) => `\n\n${line}`).join('');
}

/** What other clients saw while one hostile operation was planned. Empty when it was not tried. */
export function hostileTable(figures: readonly HostileFigures[]): string {
  if (figures.length === 0) return '';
  const rows = figures.map(({ target, outcome, hostileMs, longestStallMs, eventLoopMs }) => [
    target.title,
    figure(longestStallMs, 0),
    figure(eventLoopMs, 0),
    `${outcome} after ${figure(hostileMs / 1_000, 1)} s`,
  ]);
  const titles = ['target', 'longest small request, ms', 'longest event-loop delay, ms', 'the hostile operation'];
  return `### hostile plan\n\n${table(titles, rows)}`;
}
