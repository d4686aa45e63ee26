import type { Judgement } from './committed';
import type { Crowd } from './crowd';
import type { Kill } from './killing';
import type { ChaosOptions } from './options';
import type { Reader } from './reader';

export interface ChaosReport extends Judgement {
  options: ChaosOptions;
  kills: readonly Kill[];
  readers: number;
  topics: number;
  deliveries: number;
  gaps: number;
  silentEnds: number;
  /** Events whose fields of another subgraph were null. */
  nulled: number;
  reconnects: number;
  /** What readers were told or noticed, by how often. */
  troubles: Readonly<Record<string, number>>;
  unexpectedEndings: readonly string[];
  /** Why the run was broken off; null when it came to its end. */
  failure: string | null;
  elapsedMs: number;
}

/** One fault usually hits many readers in the same way. */
const FLAWS_SHOWN = 5;

export function reportOf(run: {
  options: ChaosOptions;
  crowd: Crowd;
  kills: readonly Kill[];
  judgement: Judgement;
  failure: string | null;
  unexpectedEndings: readonly string[];
  startedAt: number;
}): ChaosReport {
  const { options, kills, failure, unexpectedEndings } = run;
  const readers = run.crowd.all;
  const total = (count: (reader: Reader) => number): number =>
    readers.reduce((result, reader) => result + count(reader), 0);
  return {
    ...run.judgement,
    options,
    kills,
    failure,
    unexpectedEndings,
    readers: readers.length,
    topics: new Set(readers.map(({ options: { followed } }) => followed.topic)).size,
    deliveries: total(({ cursors }) => cursors.length),
    gaps: total(({ gaps }) => gaps),
    silentEnds: total(({ silentEnds }) => silentEnds),
    nulled: total(({ nulled }) => nulled),
    reconnects: total(({ connections }) => connections) - readers.length,
    troubles: troublesOf(readers),
    elapsedMs: performance.now() - run.startedAt,
  };
}

/** Whether every reader got every event once, in order, and nothing happened that nobody asked for. */
export function isFlawless(report: ChaosReport): boolean {
  const { verdict, wrongEvents, gaps, silentEnds, failure, unexpectedEndings } = report;
  const wrong =
    verdict.lost + verdict.repeated + verdict.disordered + verdict.unknown + wrongEvents + gaps + silentEnds;
  return wrong === 0 && failure === null && unexpectedEndings.length === 0;
}

export function reportText(report: ChaosReport): string {
  const { options, verdict } = report;
  const killed = countBy(report.kills.map(({ target }) => target));
  const lines: [string, string | number][] = [
    ['seed', options.seed],
    ['transports', `${options.transports.join(', ')}, resumed by ${options.resumes.join(' or ')}`],
    ['kill -9', `${report.kills.length} (${listOf(killed)})`],
    ['readers', `${report.readers}, of ${report.topics} topics`],
    ['events', `${options.events} of each transcript, ${report.deliveries} delivered to all readers`],
    ['lost', verdict.lost],
    ['repeated', verdict.repeated],
    ['out of order', verdict.disordered],
    ['unknown or wrong', verdict.unknown + report.wrongEvents],
    ['gaps', report.gaps],
    ['silent ends', report.silentEnds],
    ['reconnects', report.reconnects],
    ['other subgraph’s fields null', report.nulled],
    ['caught up after a kill', catchUpText(report.kills)],
    ['what readers noticed', listOf(report.troubles) || 'nothing'],
    ['ended by itself', report.unexpectedEndings.join('\n') || 'nothing'],
    ['broken off', report.failure ?? 'no'],
    ['flaws', report.flaws.slice(0, FLAWS_SHOWN).join('\n') || 'none'],
    ['time', `${(report.elapsedMs / 1_000).toFixed(1)} s`],
  ];
  return lines.map(([name, value]) => `${name.padEnd(30)}${value}`).join('\n');
}

function catchUpText(kills: readonly Kill[]): string {
  const times = kills.flatMap(({ caughtUpMs }) => caughtUpMs ?? []).sort((a, b) => a - b);
  if (times.length === 0) return 'never waited for';
  return `median ${times[Math.floor(times.length / 2)]!} ms, at most ${times.at(-1)!} ms (${times.length} times)`;
}

function troublesOf(readers: readonly Reader[]): Record<string, number> {
  const troubles: Record<string, number> = {};
  for (const reader of readers) {
    for (const [trouble, count] of reader.troubles) troubles[trouble] = (troubles[trouble] ?? 0) + count;
  }
  return troubles;
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function listOf(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${name} ×${count}`).join(', ');
}
