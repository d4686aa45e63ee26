/** What the benchmark asks the process of the subgraphs. `count` also ends a recording. */
export type SubgraphsRequest = { kind: 'record'; delayMs: number } | { kind: 'count' };

export type SubgraphsReply =
  | { kind: 'ready'; ports: Record<string, number> }
  /** Calls since the start, those of them whose body had not been seen before, and what was recorded. */
  | { kind: 'counted'; calls: number; executed: number; recorded: RecordedCall[] };

/** One call as a gateway made it; times are milliseconds of one clock. */
export interface RecordedCall {
  subgraph: string;
  /** The exact JSON body. */
  body: string;
  arrivedAt: number;
  answeredAt: number;
}

/** What the benchmark asks the load generator: first connections (which replace those before), then runs over them. */
export type LoadRequest = { kind: 'open'; port: number; connections: number } | ({ kind: 'run' } & RunRequest);

export interface RunRequest {
  query: string;
  /** What the answer's `data` must be. */
  expected: unknown;
  /** How long new requests are sent; those under way are waited for. */
  durationMs: number;
  /** At least this long between two requests of one connection; 0: as fast as answers come. */
  paceMs: number;
}

export type LoadReply = { kind: 'opened' } | { kind: 'done'; result: LoadResult } | { kind: 'failed'; reason: string };

export interface LoadResult {
  requests: number;
  /** Answers with another status, with errors or with other data than expected. */
  wrong: number;
  /** The first wrong answer, shortened. */
  wrongExample: string | null;
  elapsedMs: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  maxMs: number;
}
