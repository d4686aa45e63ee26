import { figure, mebibytes, table } from '../gateway/table';
import { describeCommit, describeMachine } from '../results-file';
import type { Cores } from '../gateway/system';
import type { Row } from './figures';
import { goalsTable } from './goals';
import type { Options } from './options';
import { TARGET_TITLES } from './stage';

export interface Run {
  options: Options;
  cores: Cores | null;
  otherWorkShare: number;
}

export function reportOf(rows: readonly Row[], run: Run): string {
  return [describeRun(run), '## Figures to reach', goalsTable(rows), '## All figures', figuresTable(rows), notes(rows)]
    .filter(Boolean)
    .join('\n\n');
}

function describeRun({ options, cores, otherWorkShare }: Run): string {
  return [
    `- Date: ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC; Sauti at commit ${describeCommit()}`,
    `- Machine: ${describeMachine()}`,
    cores
      ? `- Cores: each target alone on core ${cores.gateway}; load and subgraphs on core ${cores.rest}`
      : '- Cores: not bound (no `taskset`, or only one core)',
    `- Other programs took ${figure(otherWorkShare * 100, 0)} % of the machine meanwhile: the more, the worse all figures are; compare within this run only`,
    ...(options.quick ? ['- A quick look with small sizes: the goals are not for these'] : []),
    '- Every message was compared with what its subscriber had asked for',
  ].join('\n');
}

const HEADINGS = [
  'scenario',
  'target',
  'line → last client, p50 / p99 ms',
  '`_entities`/line',
  'upstreams',
  'KiB heap/subscriber',
  'deliveries',
  'lost',
  'repeated',
  'out of order',
  'wrong',
  'CPU ms/1000 deliveries',
  'of the load generator',
  'CPU ms/cycle',
  'MiB heap more',
  'MiB resident more',
];

function figuresTable(rows: readonly Row[]): string {
  const lines = rows.map(({ title, target, figures }) => [
    title,
    TARGET_TITLES[target],
    `${figure(figures.p50Ms, 1)} / ${figure(figures.p99Ms, 1)}`,
    figure(figures.entityCallsPerEvent, 1),
    figure(figures.upstreams, 0),
    figure(figures.heapPerSubscriberBytes && figures.heapPerSubscriberBytes / 1_024, 1),
    ...[figures.deliveries, figures.lost, figures.repeated, figures.outOfOrder, figures.wrong].map((count) =>
      figure(count, 0),
    ),
    figure(figures.cpuMsPer1000, 1),
    figure(figures.loadCpuMsPer1000, 1),
    figure(figures.cpuMsPerCycle, 2),
    figure(figures.heapGrowthBytes && figures.heapGrowthBytes / 1_024 ** 2, 1),
    mebibytes(figures.rssGrowthBytes),
  ]);
  return table(HEADINGS, lines);
}

function notes(rows: readonly Row[]): string {
  return rows
    .flatMap(({ title, target, figures: { stalled }, failure }) => [
      ...(stalled
        ? [
            `- ${TARGET_TITLES[target]}, of ${stalled.connections} stalled sockets, closed by the server: ${stalled.closes}; with a cursor to go on from: ${stalled.toldCursor}.`,
          ]
        : []),
      ...(failure === null ? [] : [`- **${title}, ${TARGET_TITLES[target]}, failed**: ${failure}`]),
    ])
    .join('\n');
}
