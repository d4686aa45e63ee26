import { checkAnswer, measure, warmUp, type Bench, type Measurement } from './measure';
import type { Options } from './options';
import { memoryBytes } from './system';
import type { TargetProcess } from './target-process';
import type { Target } from './targets';
import type { QueryName } from './workload/queries';

/** Medians over the rounds, of one target with one query. */
export interface QueryFigures {
  query: QueryName;
  /** By number of connections. */
  byConnections: Map<number, Measurement>;
}

export interface TargetFigures {
  target: Target;
  queries: QueryFigures[];
  /** The most that was resident after any load, and the most the process ever had. */
  rssBytes: number;
  peakBytes: number;
}

/** Measures all targets in turns, so that what else happens on the machine hits them alike. */
export async function runRounds(
  bench: Bench,
  processes: readonly TargetProcess[],
  options: Options,
  tell: (progress: string) => void,
): Promise<TargetFigures[]> {
  const samples = new Map<string, Measurement[]>();
  const keyOf = (name: string, query: QueryName, connections: number): string => `${name} ${query} ${connections}`;
  for (const process of processes) {
    for (const query of options.queries) {
      tell(`warm-up: ${process.target.name}, ${query}`);
      await checkAnswer(bench, process, query);
      await warmUp(bench, process, query, options.warmUpSeconds);
    }
  }
  for (let round = 0; round < options.rounds; round += 1) {
    for (const query of options.queries) {
      for (const process of rotated(processes, round)) {
        for (const connections of options.connections) {
          tell(`round ${round + 1} of ${options.rounds}: ${process.target.name}, ${query}, ${connections} connections`);
          const shape = { query, connections, durationMs: options.seconds * 1_000 };
          const key = keyOf(process.target.name, query, connections);
          samples.set(key, [...(samples.get(key) ?? []), await measure(bench, process, shape)]);
        }
      }
    }
  }
  for (const process of processes) for (const query of options.queries) await checkAnswer(bench, process, query);
  return processes.map(({ target, pid }) => {
    const samplesOf = (query: QueryName, connections: number): Measurement[] =>
      samples.get(keyOf(target.name, query, connections)) ?? [];
    const queries = options.queries.map((query) => ({
      query,
      byConnections: new Map(
        options.connections.map((connections) => [connections, medians(samplesOf(query, connections))] as const),
      ),
    }));
    const all = options.queries.flatMap((query) => options.connections.flatMap((count) => samplesOf(query, count)));
    return {
      target,
      queries,
      rssBytes: Math.max(...all.map(({ rssBytes }) => rssBytes)),
      peakBytes: memoryBytes(pid).peak,
    };
  });
}

/** Every round begins with another target. */
function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const start = by % Math.max(1, items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}

function medians(samples: readonly Measurement[]): Measurement {
  const of = (field: keyof Measurement): number => median(samples.map((sample) => sample[field]));
  return {
    standInMsPerRequest: of('standInMsPerRequest'),
    unpreparedCalls: of('unpreparedCalls'),
    cpuMsPerRequest: of('cpuMsPerRequest'),
    requestsPerSecond: of('requestsPerSecond'),
    p50Ms: of('p50Ms'),
    p95Ms: of('p95Ms'),
    p99Ms: of('p99Ms'),
    callsPerRequest: of('callsPerRequest'),
    rssBytes: of('rssBytes'),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2;
}
