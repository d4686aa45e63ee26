import { randomUUID } from 'node:crypto';
import type { AccessNews } from '../../platform/identity/access-change';
import type { AccessChanges, SignCall } from '../options';

/** One change is some 100 characters. */
const MAX_LINE_LENGTH = 1_000;

/**
 * The access changes from the users subgraph in another process: one signed call whose answer never ends, a line of JSON for
 * each piece of news. Its address lies beside that of the public keys. Throws when it is refused, breaks off or makes no
 * sense.
 */
export function fetchAccessNews({ jwksUrl, signCall }: { jwksUrl: string; signCall: SignCall }): AccessChanges {
  const url = new URL('../access/changes', jwksUrl);
  return (signal) => read(url, signCall, signal);
}

async function* read(url: URL, signCall: SignCall, signal: AbortSignal): AsyncGenerator<AccessNews, void, void> {
  const body = '{}';
  const token = signCall('users', { viewer: null, requestId: randomUUID() }, body);
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'error',
    signal,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body,
  });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new Error(`The users subgraph answered with status ${response.status} when asked for access changes.`);
  }
  for await (const line of linesOf(response.body)) yield newsOf(line);
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    if (rest.length > MAX_LINE_LENGTH) throw new Error(`A line is longer than ${MAX_LINE_LENGTH} characters.`);
    yield* lines;
  }
}

function newsOf(line: string): AccessNews {
  const { kind, sessionId, userId, at } = JSON.parse(line) as Record<string, unknown>;
  if (kind === 'current') return { kind };
  if (typeof at === 'string' && !Number.isNaN(Date.parse(at))) {
    if (kind === 'ended' && typeof sessionId === 'string') return { kind, sessionId, at };
    if (kind === 'changed' && typeof userId === 'string') return { kind, userId, at };
  }
  throw new Error('The users subgraph told something else than access changes.');
}
