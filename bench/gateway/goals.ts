import type { HostileFigures } from './hostile';
import type { Measurement } from './measure';
import type { TargetFigures } from './rounds';
import { figure, mebibytes, table } from './table';
import type { TargetName } from './targets';
import type { QueryName } from './workload/queries';

interface Row {
  title: string;
  goal: string;
  cell: (target: TargetName) => string;
}

const COLUMNS: readonly (readonly [title: string, target: TargetName])[] = [
  ['Sauti over HTTP', 'sauti-http'],
  ['Sauti in process', 'sauti-in-process'],
  ['stock', 'stock'],
  ['Hive', 'hive-js'],
  ['Hive + Rust', 'hive-rust'],
  ['floor, 16 calls', 'floor'],
  ['floor, 7 calls', 'floor-merged'],
  ['floor, 7 calls, distinct', 'floor-distinct'],
];

/** CPU is compared where the gateway is busy all the time but requests do not pile up. */
const BUSY_CONNECTIONS = 16;
const MANY_CONNECTIONS = 50;

/**
 * The figures that Sauti wants to reach beside what was measured; in parentheses the part of what stock takes. Nothing
 * shares calls in flight here.
 */
export function goalsTable(figures: readonly TargetFigures[], hostile: readonly HostileFigures[]): string {
  const measured = (target: TargetName, query: QueryName, connections: number): Measurement | undefined =>
    figures
      .find((entry) => entry.target.name === target)
      ?.queries.find((entry) => entry.query === query)
      ?.byConnections.get(connections);
  const cpuOf = (target: TargetName, query: QueryName): number | undefined =>
    measured(target, query, BUSY_CONNECTIONS)?.cpuMsPerRequest;
  const cpu = (query: QueryName, goal: string): Row => ({
    title: `${query} query, CPU ms/request at ${BUSY_CONNECTIONS}`,
    goal,
    cell: (target) => figure(cpuOf(target, query), 3) + shareOf(cpuOf(target, query), cpuOf('stock', query)),
  });
  const rows: Row[] = [
    cpu('heavy', '≤ 0.7 (1/12)'),
    cpu('mid', '≤ 0.20 (1/8)'),
    cpu('small', '≤ 0.07 (1/6)'),
    {
      title: 'RSS under load, MiB',
      goal: '≤ 200',
      cell: (target) => mebibytes(figures.find((entry) => entry.target.name === target)?.rssBytes),
    },
    {
      title: `heavy query, p99 ms at ${MANY_CONNECTIONS}`,
      goal: '≤ 100',
      cell: (target) => figure(measured(target, 'heavy', MANY_CONNECTIONS)?.p99Ms, 0),
    },
    {
      title: 'hostile plan, longest stall, ms',
      goal: '≤ 50',
      cell: (target) => figure(hostile.find((entry) => entry.target.name === target)?.longestStallMs, 0),
    },
  ];
  const shown = COLUMNS.filter(([, target]) => rows.some(({ cell }) => cell(target) !== '–'));
  return table(
    ['', 'goal', ...shown.map(([title]) => title)],
    rows.map(({ title, goal, cell }) => [title, goal, ...shown.map(([, target]) => cell(target))]),
  );
}

/** How many times less than stock: what stays comparable when the machine is busy with other things. */
function shareOf(value: number | undefined, stock: number | undefined): string {
  return value === undefined || stock === undefined || value === stock ? '' : ` (1/${figure(stock / value, 1)})`;
}
