/** The process that makes load: keep-alive connections that send the next request when the answer to the last is in. */
import { isDeepStrictEqual } from 'node:util';
import { LoadConnection } from './load-connection';
import type { LoadReply, LoadRequest, LoadResult, RunRequest } from './messages';

/** Different correct texts of one answer that are remembered, e.g. with another order of fields. */
const MAX_KNOWN_ANSWERS = 10;

let connections: LoadConnection[] = [];

process.on('message', (request: LoadRequest) => {
  answer(request).then(reply, (error: Error) => reply({ kind: 'failed', reason: error.message }));
});
process.on('disconnect', () => process.exit(0));

async function answer(request: LoadRequest): Promise<LoadReply> {
  if (request.kind === 'run') return { kind: 'done', result: await run(request) };
  for (const connection of connections) connection.close();
  connections = [];
  for (let index = 0; index < request.connections; index += 1)
    connections.push(await LoadConnection.open(request.port));
  return { kind: 'opened' };
}

async function run(request: RunRequest): Promise<LoadResult> {
  const isRight = checker(request.expected);
  const latencies: number[] = [];
  const result = { wrong: 0, wrongExample: null as string | null };
  const startedAt = performance.now();
  const until = startedAt + request.durationMs;
  await Promise.all(
    connections.map((connection) =>
      connection.run(request, until, (body, status, latencyMs) => {
        latencies.push(latencyMs);
        if (status === 200 && isRight(body)) return;
        result.wrong += 1;
        result.wrongExample ??= `${status} ${body.toString('utf8', 0, 300)}`;
      }),
    ),
  );
  const elapsedMs = performance.now() - startedAt;
  latencies.sort((a, b) => a - b);
  const quantile = (share: number): number => latencies[Math.ceil(share * latencies.length) - 1] ?? 0;
  return {
    ...result,
    requests: latencies.length,
    elapsedMs,
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
    p99Ms: quantile(0.99),
    maxMs: quantile(1),
  };
}

/** Compares bytes with answers that were found right before, so that checking each answer costs next to nothing. */
function checker(expected: unknown): (body: Buffer) => boolean {
  const known: Buffer[] = [];
  return (body) => {
    if (known.some((right) => right.equals(body))) return true;
    try {
      const { data, errors } = JSON.parse(body.toString('utf8')) as { data?: unknown; errors?: unknown };
      if (errors !== undefined || !isDeepStrictEqual(data, expected)) return false;
    } catch {
      return false;
    }
    if (known.length < MAX_KNOWN_ANSWERS) known.push(Buffer.from(body));
    return true;
  };
}

function reply(message: LoadReply): void {
  process.send?.(message);
}
