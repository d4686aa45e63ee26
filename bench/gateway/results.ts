import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../../platform/root';
import type { Options } from './options';
import type { Cores } from './system';
import { figure, mebibytes } from './table';

/** When, where and how the figures came about: what stands above every report. */
export function describeRun(
  options: Options,
  { cores, otherWorkShare, peers }: { cores: Cores | null; otherWorkShare: number | null; peers: readonly string[] },
): string {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${mebibytes(totalmem())} MiB, ${type()} ${release()}`;
  return [
    `- Date: ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC; Sauti at commit ${commit()}`,
    `- Machine: ${machine}; Node ${process.versions.node}`,
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

/** Stores a report as bench/RESULTS.md. */
export function writeResults(report: string): void {
  writeFileSync(path.join(repositoryRoot(), 'bench/RESULTS.md'), `${HEAD}\n${report}\n`);
}

const HEAD = `# Gateway benchmark: results

Written by \`npm run bench:gateway -- --write\`; [README.md](README.md) says how it measures and how to read it.
`;

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, {
        cwd: repositoryRoot(),
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    const isChanged = git('status', '--porcelain', '--', 'gateway', 'platform', 'package-lock.json') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}
