import { randomUUID } from 'node:crypto';
import type { EndedSessions, SignCall } from '../options';

const DEADLINE_MS = 5_000;

/**
 * Asks the users subgraph in another process which of up to 1 000 sessions have ended. Its address lies beside that of its
 * public keys. Rejects when there is no answer within 5 s, or another one than is expected.
 */
export function askEndedSessions({ jwksUrl, signCall }: { jwksUrl: string; signCall: SignCall }): EndedSessions {
  const url = new URL('../sessions/ended', jwksUrl);
  return (sessionIds) => ask(url, JSON.stringify({ sessionIds }), signCall);
}

async function ask(url: URL, body: string, signCall: SignCall): Promise<string[]> {
  const token = signCall('users', { viewer: null, requestId: randomUUID() }, body);
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.timeout(DEADLINE_MS),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body,
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`The users subgraph answered with status ${response.status} when asked for ended sessions.`);
  }
  const { ended } = (await response.json()) as { ended?: unknown };
  if (!Array.isArray(ended)) throw new Error('The users subgraph did not list the ended sessions.');
  return ended as string[];
}
