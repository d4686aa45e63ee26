import type { JwkSet } from '../../platform/identity/access-token';

const DEADLINE_MS = 5_000;
const MAX_BYTES = 64 * 1024;

/**
 * Gets a published key set over HTTP. Rejects when there is none within 5 s, or when it is larger than 64 KiB (the rest is
 * not read); redirects are not followed.
 */
export async function fetchJwks(url: string): Promise<JwkSet> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(DEADLINE_MS),
    headers: { accept: 'application/json' },
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`The key set answered with status ${response.status}.`);
  }
  const set = JSON.parse(await readText(response)) as Partial<JwkSet>;
  if (!Array.isArray(set.keys)) throw new Error('The key set has no list of keys.');
  return { keys: set.keys };
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  // Leaving the loop early cancels the body.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_BYTES) throw new Error(`The key set is larger than ${MAX_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
