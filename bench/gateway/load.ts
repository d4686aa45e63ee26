/** The process that makes load: keep-alive connections that send the next request when the answer to the last is in. */
import net, { type Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { HttpMessages } from './http-messages';
import type { LoadReply, LoadRequest, LoadResult } from './messages';

/** Different correct texts of one answer that are remembered, e.g. with another order of fields. */
const MAX_KNOWN_ANSWERS = 10;

process.on('message', (request: LoadRequest) => {
  makeLoad(request).then(
    (result) => process.send?.({ kind: 'done', result } satisfies LoadReply),
    (error: Error) => process.send?.({ kind: 'failed', reason: error.message } satisfies LoadReply),
  );
});
process.on('disconnect', () => process.exit(0));

async function makeLoad(request: LoadRequest): Promise<LoadResult> {
  const isRight = checker(request.expected);
  const latencies: number[] = [];
  const result = { wrong: 0, wrongExample: null as string | null, answerBytes: 0 };
  const startedAt = performance.now();
  const until = startedAt + request.durationMs;
  await Promise.all(
    Array.from({ length: request.connections }, () =>
      runConnection(request, until, (body, status, latencyMs) => {
        latencies.push(latencyMs);
        result.answerBytes = body.length;
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
    if (known.some((answer) => answer.equals(body))) return true;
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

type OnAnswer = (body: Buffer, status: number, latencyMs: number) => void;

/** Resolves when the time is over and the last answer is in; rejects when the connection breaks. */
function runConnection(request: LoadRequest, until: number, onAnswer: OnAnswer): Promise<void> {
  const bytes = requestBytes(request);
  return new Promise((resolve, reject) => {
    let sentAt = 0;
    const socket = net.connect({ port: request.port, host: '127.0.0.1', noDelay: true });
    const send = (): void => {
      sentAt = performance.now();
      socket.write(bytes);
    };
    const next = (): void => {
      const now = performance.now();
      if (now >= until) return close(socket, resolve);
      const waitMs = request.paceMs - (now - sentAt);
      if (waitMs > 0) setTimeout(send, waitMs);
      else send();
    };
    const messages = new HttpMessages((body, firstLine) => {
      onAnswer(body, Number(firstLine.split(' ')[1]), performance.now() - sentAt);
      next();
    });
    socket.on('connect', send);
    socket.on('data', (chunk) => messages.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the gateway closed a connection under load')));
  });
}

function close(socket: Socket, onClosed: () => void): void {
  socket.removeAllListeners('close').removeAllListeners('error');
  socket.on('error', () => socket.destroy());
  socket.once('close', onClosed);
  socket.end();
  socket.destroySoon();
}

function requestBytes({ port, query }: LoadRequest): Buffer {
  const body = JSON.stringify({ query });
  return Buffer.from(
    [
      'POST /graphql HTTP/1.1',
      `host: 127.0.0.1:${port}`,
      'content-type: application/json',
      'accept: application/graphql-response+json, application/json;q=0.9',
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}
