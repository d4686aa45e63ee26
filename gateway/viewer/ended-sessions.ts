import { randomUUID } from 'node:crypto';
import type { EndedSessions, SignCall } from '../options';

const DEADLINE_MS = 5_000;
/** How many sessions one call of the users subgraph may name. */
const MAX_NAMED = 1_000;

/**
 * Asks the users subgraph in another process which sessions have ended. Its address lies beside that of its public keys.
 * Rejects when there is no answer within 5 s, or another one than is expected.
 */
export function askEndedSessions({ jwksUrl, signCall }: { jwksUrl: string; signCall: SignCall }): EndedSessions {
  const url = new URL('../sessions/ended', jwksUrl);
  return async (sessionIds) => {
    const ended: string[] = [];
    for (let from = 0; from < sessionIds.length; from += MAX_NAMED) {
      const body = JSON.stringify({ sessionIds: sessionIds.slice(from, from + MAX_NAMED) });
      ended.push(...(await ask(url, body, signCall)));
    }
    return ended;
  };
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
