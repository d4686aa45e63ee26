import type { JwkSet } from '../../platform/identity/access-token';

const DEADLINE_MS = 5_000;
const MAX_BYTES = 64 * 1024;

/** Gets a published key set over HTTP. Rejects when there is none within 5 s; redirects are not followed. */
export async function fetchJwks(url: string): Promise<JwkSet> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(DEADLINE_MS),
    headers: { accept: 'application/json' },
  });
  const text = await response.text();
  if (!response.ok || text.length > MAX_BYTES)
    throw new Error(`The key set answered with status ${response.status} and ${text.length} characters.`);
  const set = JSON.parse(text) as Partial<JwkSet>;
  if (!Array.isArray(set.keys)) throw new Error('The key set has no list of keys.');
  return { keys: set.keys };
}
