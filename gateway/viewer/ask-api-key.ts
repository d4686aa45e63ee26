import { randomUUID } from 'node:crypto';
import type { VerifiedApiKey, VerifyApiKey } from '../../platform/identity/api-key';
import type { SignCall } from '../options';

const DEADLINE_MS = 5_000;

/**
 * Asks the users subgraph in another process who has an API key, by its hash. Its address lies beside that of its public
 * keys. Rejects when there is no answer within 5 s, or another one than is expected.
 */
export function askApiKey({ jwksUrl, signCall }: { jwksUrl: string; signCall: SignCall }): VerifyApiKey {
  const url = new URL('../api-keys/verify', jwksUrl);
  return (keyHash) => ask(url, JSON.stringify({ keyHash }), signCall);
}

async function ask(url: URL, body: string, signCall: SignCall): Promise<VerifiedApiKey | null> {
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
    throw new Error(`The users subgraph answered with status ${response.status} when asked about an API key.`);
  }
  return verifiedKeyIn(await response.json());
}

function verifiedKeyIn(answer: unknown): VerifiedApiKey | null {
  const { key } = (answer ?? {}) as { key?: null | (Omit<VerifiedApiKey, 'expiresAt' | 'checkedAt'> & Instants) };
  if (key === null) return null;
  if (typeof key?.viewer?.userId !== 'string') throw new Error('The users subgraph did not say who has the API key.');
  const { viewer, expiresAt, checkedAt } = key;
  return { viewer, expiresAt: expiresAt === null ? null : new Date(expiresAt), checkedAt: new Date(checkedAt) };
}

/** As JSON has them. */
interface Instants {
  expiresAt: string | null;
  checkedAt: string;
}
