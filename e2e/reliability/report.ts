import type { Happened } from './faults';
import type { History } from './history';
import type { ReliabilityOptions } from './options';
import { quantile, takeoversOf, type Takeovers } from './takeovers';
import { groupBy, isFlawless as isVerdictFlawless, judge, type Verdict } from './verdict';

export interface ReliabilityReport extends Happened {
  options: ReliabilityOptions;
  verdict: Verdict;
  takeovers: Takeovers;
  acknowledged: number;
  results: number;
  /** Attempts beyond the first of a job. */
  redeliveries: number;
  /** Steps that were committed more than once. */
  repeatedSteps: number;
  mostAttempts: number;
  /** What workers printed that ended although nobody had killed them. */
  unexpectedEndings: readonly string[];
  /** Why the run was broken off; null when it came to its end. */
  failure: string | null;
  elapsedMs: number;
}

export function reportOf(run: {
  options: ReliabilityOptions;
  history: History;
  happened: Happened;
  unexpectedEndings: readonly string[];
  failure: string | null;
  startedAt: number;
}): ReliabilityReport {
  const { history, happened, startedAt, ...rest } = run;
  const { jobs, written, acknowledged } = history;
  const steps = groupBy(written, ({ jobId, step }) => `${jobId} ${step}`);
  return {
    ...rest,
    ...happened,
    verdict: judge(history),
    takeovers: takeoversOf(history, happened),
    acknowledged: acknowledged.length,
    results: written.filter(({ step }) => step === 'result').length,
    redeliveries: jobs.reduce((sum, { attempt }) => sum + Math.max(0, attempt - 1), 0),
    repeatedSteps: written.length - steps.size,
    mostAttempts: Math.max(0, ...jobs.map(({ attempt }) => attempt)),
    elapsedMs: performance.now() - startedAt,
  };
}

/** Whether every acknowledged job has its one result, all was told in order, and no worker ended by itself. */
export function isFlawless({ verdict, failure, unexpectedEndings }: ReliabilityReport): boolean {
  return isVerdictFlawless(verdict) && failure === null && unexpectedEndings.length === 0;
}

export function reportText(report: ReliabilityReport): string {
  const { options, verdict } = report;
  const lines: [string, string | number][] = [
    ['queue', options.backend],
    ['seed', options.seed],
    ['jobs', `${report.acknowledged} acknowledged, of ${options.owners} accounts`],
    ['kill -9 of workers', `${report.kills.length}, of ${options.workers}`],
    ['database stops', report.outages.length],
    ['results', report.results],
    ['lost', verdict.lost],
    ['doubled', verdict.doubled],
    ['unknown', verdict.unknown],
    ['not succeeded', verdict.unsuccessful],
    ['written by an attempt that was over', verdict.overtaken],
    ['torn attempts', verdict.torn],
    ['progress going back', verdict.backwards],
    ['events out of order', verdict.disordered],
    ['attempts beyond the first', `${report.redeliveries}, at most ${report.mostAttempts} of one job`],
    ['steps committed again', report.repeatedSteps],
    ['kill → queued again', takeoverText(report.takeovers.toQueuedMs)],
    ['kill → next attempt', takeoverText(report.takeovers.toStartedMs)],
    ['… while the database was away, too', takeoverText(report.takeovers.duringOutagesMs)],
    ['ended by itself', report.unexpectedEndings.join('\n') || 'nothing'],
    ['broken off', report.failure ?? 'no'],
    ['took', `${(report.elapsedMs / 1_000).toFixed(1)} s`],
  ];
  const width = Math.max(...lines.map(([title]) => title.length));
  return lines.map(([title, value]) => `${title.padEnd(width)}  ${value}`).join('\n');
}

function takeoverText(ascending: readonly number[]): string {
  if (ascending.length === 0) return 'none';
  const seconds = (share: number): string => `${((quantile(ascending, share) ?? 0) / 1_000).toFixed(1)} s`;
  return `p50 ${seconds(0.5)}, p99 ${seconds(0.99)}, longest ${seconds(1)} (${ascending.length} jobs)`;
}
