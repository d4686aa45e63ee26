import { describeCommit, describeMachine, writeResultsPart } from '../results-file';
import type { Options } from './options';
import type { Cores } from './system';
import { figure } from './table';

/** When, where and how the figures came about: what stands above every report. */
export function describeRun(
  options: Options,
  { cores, otherWorkShare, peers }: { cores: Cores | null; otherWorkShare: number | null; peers: readonly string[] },
): string {
  return [
    `- Date: ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC; Sauti at commit ${describeCommit()}`,
    `- Machine: ${describeMachine()}`,
    ...(peers.length > 0 ? [`- Peers: ${peers.join(', ')}`] : []),
    cores
      ? `- Cores: the gateway alone on core ${cores.gateway}; load and subgraphs on core ${cores.rest}`
      : '- Cores: not bound (no `taskset`, or only one core)',
    `- Rounds: ${options.rounds}, each ${options.seconds} s for every target, query and number of connections; medians of the rounds`,
    ...(otherWorkShare === null
      ? []
      : [
          `- Other programs took ${figure(otherWorkShare * 100, 0)} % of the machine meanwhile: the more, the worse all figures are; compare within this run only`,
        ]),
    '- Every answer under load, and one before and one after it, was compared with the answer of one unsplit schema',
  ].join('\n');
}

/** Stores a report as the gateway's part of bench/RESULTS.md. */
export function writeResults(report: string): void {
  writeResultsPart('Gateway benchmark: results', `${HEAD}\n${report}`);
}

const HEAD = `Written by \`npm run bench:gateway -- --write\`; [README.md](README.md) says how it measures and how to read it.
`;
