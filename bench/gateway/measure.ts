import { isDeepStrictEqual } from 'node:util';
import type { Load, Subgraphs } from './children';
import type { LoadResult } from './messages';
import { cpuMs, memoryBytes } from './system';
import { post, type TargetProcess } from './target-process';
import { QUERIES, type QueryName } from './workload/queries';

/** One measurement of one target: one query, one number of connections, in one round. */
export interface Measurement {
  cpuMsPerRequest: number;
  requestsPerSecond: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  /** Calls to subgraphs for each request. */
  callsPerRequest: number;
  /** Of the CPU time, what the stand-ins for subgraphs in the same process took; 0 where there are none. */
  standInMsPerRequest: number;
  /** Calls that a subgraph had to execute because it had not seen that very body before; then it is slower than usual. */
  unpreparedCalls: number;
  /** Resident memory right after the load. */
  rssBytes: number;
}

export interface Bench {
  load: Load;
  subgraphs: Subgraphs;
  expected: Readonly<Record<QueryName, unknown>>;
}

export interface LoadShape {
  query: QueryName;
  connections: number;
  durationMs: number;
}

/** Puts load on a target and reads its CPU time before the first request and after the last answer. */
export async function measure(bench: Bench, target: TargetProcess, shape: LoadShape): Promise<Measurement> {
  await bench.load.open(target.port, shape.connections);
  const before = await used(bench, target);
  const cpuBefore = cpuMs(target.pid);
  const result = await runLoad(bench, target, shape);
  const cpuAfter = cpuMs(target.pid);
  const { now } = memoryBytes(target.pid);
  const after = await used(bench, target);
  return {
    cpuMsPerRequest: (cpuAfter - cpuBefore) / result.requests,
    requestsPerSecond: (result.requests * 1_000) / result.elapsedMs,
    p50Ms: result.p50Ms,
    p95Ms: result.p95Ms,
    p99Ms: result.p99Ms,
    callsPerRequest: (after.calls - before.calls) / result.requests,
    unpreparedCalls: after.executed - before.executed,
    standInMsPerRequest: (after.answeringMs - before.answeringMs) / result.requests,
    rssBytes: now,
  };
}

interface Used {
  calls: number;
  executed: number;
  /** What stand-ins for subgraphs in the target's own process have taken. */
  answeringMs: number;
}

/** Totals since the start, from where the subgraphs of this target are. */
async function used(bench: Bench, { target, port }: TargetProcess): Promise<Used> {
  if (!target.holdsSubgraphs) return { ...(await bench.subgraphs.count()), answeringMs: 0 };
  const response = await fetch(`http://127.0.0.1:${port}/bench`);
  return (await response.json()) as Used;
}

const WARM_UP_CONNECTIONS = 16;
/** Requests after which V8 has compiled what is hot, in gateways that take 10 ms for one. */
const WARM_UP_REQUESTS = 400;
/** On a machine that is busy otherwise, a warm-up may take this many times as long to get there. */
const WARM_UP_STRETCH = 4;

/** Load whose figures nobody keeps. Throws when an answer is wrong. */
export async function warmUp(bench: Bench, target: TargetProcess, query: QueryName, seconds: number): Promise<void> {
  const shape = { query, connections: WARM_UP_CONNECTIONS, durationMs: seconds * 1_000 };
  await bench.load.open(target.port, WARM_UP_CONNECTIONS);
  for (let turn = 0, requests = 0; turn < WARM_UP_STRETCH && requests < WARM_UP_REQUESTS; turn += 1)
    requests += (await runLoad(bench, target, shape)).requests;
}

async function runLoad(
  { load, expected }: Bench,
  { target }: TargetProcess,
  { query, connections, durationMs }: LoadShape,
): Promise<LoadResult> {
  const run = load.run({ query: QUERIES[query], expected: expected[query], durationMs, paceMs: 0 });
  const result = await run.catch((error: Error) => {
    throw new Error(`${target.name}, ${query}, ${connections} connections: ${error.message}`);
  });
  if (result.wrong === 0) return result;
  throw new Error(
    `${target.name}, ${query}: ${result.wrong} of ${result.requests} answers are wrong: ${result.wrongExample}`,
  );
}

/** Compares one answer, got apart from any load, with the oracle's. Throws when it differs. */
export async function checkAnswer(bench: Bench, { target, port }: TargetProcess, query: QueryName): Promise<void> {
  const { status, body } = await post(port, QUERIES[query]);
  const { data, errors } = JSON.parse(body) as { data?: unknown; errors?: unknown };
  if (status === 200 && errors === undefined && isDeepStrictEqual(data, bench.expected[query])) return;
  throw new Error(`${target.name} does not answer "${query}" as the oracle does: ${status} ${body.slice(0, 500)}`);
}
