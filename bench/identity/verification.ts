import { generateKeyPairSync } from 'node:crypto';
import { NEWS_BEAT_MS, type AccessNews } from '../../platform/identity/access-change';
import { signAccessToken, type VerificationKey } from '../../platform/identity/access-token';
import { USER_SCOPES } from '../../platform/identity/scopes';
import { newId } from '../../platform/ids';
import { silentLogger } from '../../platform/logger';
import { pause } from '../../platform/pause';
import type { Authenticate } from '../../gateway/options';
import { refusingVoid, watchAccess } from '../../gateway/viewer/access-watch';
import { createAuthenticator } from '../../gateway/viewer/authenticator';
import { quantile, type Figure } from '../figure';

const TOKENS = 5_000;
const ROUNDS = 40;
/** Sessions that have ended within eleven minutes: each token is looked up among them. */
const ENDED = 50_000;
/** Promised: issue 7. */
const LIMIT_US = 30;

/** What it costs the gateway to learn who asks: a token for the first time, and every other time. */
export async function measureVerification(): Promise<Figure[]> {
  const { kid, privateKeyPem, jwk } = aKey();
  await using access = watchAccess({ accessChanges: endedSessions, logger: silentLogger });
  const verify = refusingVoid(createAuthenticator({ jwks: async () => ({ keys: [jwk] }) }), access);
  await access.untilKnown();
  const headers = Array.from({ length: TOKENS }, () => {
    const viewer = { userId: newId('usr'), sessionId: newId('ses'), scopes: USER_SCOPES };
    return `Bearer ${signAccessToken(viewer, { kid, privateKeyPem }, 600_000).token}`;
  });
  await verify(headers[0]);
  const first = await microsecondsEach(verify, headers.slice(1));
  const again: number[] = [];
  for (let round = 0; round < ROUNDS; round++) again.push(await microsecondsEach(verify, headers));
  const median = quantile(again, 0.5)!;
  return [
    {
      title: `Who asks, by a token that was seen before (${TOKENS} tokens, ${ENDED} ended sessions)`,
      goal: `≤ ${LIMIT_US} µs`,
      value: `${median.toFixed(2)} µs (median of ${ROUNDS} rounds; the slowest ${Math.max(...again).toFixed(2)})`,
      isMet: median <= LIMIT_US,
    },
    { title: 'Who asks, by a token that is new', goal: '', value: `${first.toFixed(0)} µs`, isMet: null },
  ];
}

async function microsecondsEach(verify: Authenticate, headers: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  for (const header of headers) await verify(header);
  return ((performance.now() - startedAt) * 1_000) / headers.length;
}

async function* endedSessions(signal: AbortSignal): AsyncGenerator<AccessNews, void, void> {
  const at = new Date().toISOString();
  for (let count = 0; count < ENDED; count++) yield { kind: 'ended', sessionId: newId('ses'), at };
  while (!signal.aborted) {
    yield { kind: 'current' };
    await pause(NEWS_BEAT_MS, signal);
  }
}

function aKey(): { kid: string; privateKeyPem: string; jwk: VerificationKey } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    kid: 'bench',
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256', use: 'sig' },
  };
}
