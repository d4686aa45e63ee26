import { SautiError } from '../../platform/errors';
import type { VerifiedToken } from '../../platform/identity/access-token';
import { hashOfApiKey, isApiKey, type VerifiedApiKey, type VerifyApiKey } from '../../platform/identity/api-key';
import type { AccessNews } from '../../platform/identity/access-change';
import type { Authenticate } from '../options';

/** How long an answer about a key is used; what happens to keys meanwhile comes as an access change. */
const KEEP_MS = 60_000;
/** The same for a key that does not work, so that a program that goes on with it costs little. */
const KEEP_REFUSED_MS = 10_000;
/** Keys that are kept; the one that was used least recently makes room. */
const MAX_KEPT = 10_000;
/**
 * How long a connection may be open on one proof by a key, in milliseconds: it has no end of its own, and a gateway that
 * was cut off from the news may have missed a revocation. Its client renews it, or comes back, with the same key.
 */
const PROOF_MS = 60 * 60_000;

/** Learns who API keys stand for. */
export interface ApiKeyCheck {
  /**
   * Throws a `SautiError`: UNAUTHENTICATED, always the same, for a key that does not work, SUBGRAPH_UNAVAILABLE when that
   * cannot be found out.
   */
  verify(key: string): Promise<VerifiedToken>;
  /** Forgets what is not true any more. */
  take(news: AccessNews): void;
}

/** Takes API keys besides what `authenticate` takes. */
export function withApiKeys(authenticate: Authenticate | undefined, keys: ApiKeyCheck): Authenticate {
  return async (authorization) => {
    const key = authorization === undefined ? undefined : /^Bearer +(sauti_\S*) *$/i.exec(authorization)?.[1];
    if (key !== undefined) return keys.verify(key);
    return (await authenticate?.(authorization)) ?? null;
  };
}

interface Kept {
  /** Null for a key that does not work. */
  token: VerifiedToken | null;
  until: number;
}

/** Asks about each key at most once a minute. Kept by hash: a key itself stays nowhere. */
export function createApiKeyCheck(options: { verify: VerifyApiKey; now?: () => number }): ApiKeyCheck {
  const { verify, now = Date.now } = options;
  const kept = new Map<string, Kept>();
  const asked = new Map<string, Promise<VerifiedToken | null>>();
  /** Rises with every change: an answer to a question from before it is not kept. */
  let changes = 0;

  const keep = (keyHash: string, entry: Kept): void => {
    kept.delete(keyHash);
    kept.set(keyHash, entry);
    if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value!);
  };
  const ask = async (keyHash: string): Promise<VerifiedToken | null> => {
    const before = changes;
    const verified = await verify(keyHash);
    const token = verified && tokenOf(verified, now());
    if (before === changes) keep(keyHash, { token, until: keptUntil(verified, now()) });
    return token;
  };
  const find = async (keyHash: string): Promise<VerifiedToken | null> => {
    const known = kept.get(keyHash);
    if (known && known.until > now()) {
      keep(keyHash, known);
      return known.token;
    }
    const pending = asked.get(keyHash) ?? ask(keyHash).finally(() => asked.delete(keyHash));
    asked.set(keyHash, pending);
    return pending;
  };
  return {
    async verify(key) {
      const token = isApiKey(key) ? await find(hashOfApiKey(key)).catch(unavailable) : null;
      if (token) return token;
      throw new SautiError('UNAUTHENTICATED', 'The API key is not valid: it is unknown, revoked or has expired.');
    },
    take(news) {
      // Sessions end all the time; they have nothing to do with keys.
      if (news.kind === 'current' || (news.kind === 'ended' && !news.sessionId.startsWith('key_'))) return;
      changes++;
      asked.clear();
      for (const [keyHash, { token }] of kept) if (!token || concerns(news, token)) kept.delete(keyHash);
    },
  };
}

function tokenOf({ viewer, expiresAt, checkedAt }: VerifiedApiKey, now: number): VerifiedToken {
  return { viewer, issuedAt: checkedAt, endsAt: new Date(Math.min(expiresAt?.getTime() ?? Infinity, now + PROOF_MS)) };
}

function keptUntil(verified: VerifiedApiKey | null, now: number): number {
  if (!verified) return now + KEEP_REFUSED_MS;
  return Math.min(verified.expiresAt?.getTime() ?? Infinity, now + KEEP_MS);
}

function concerns(news: Exclude<AccessNews, { kind: 'current' }>, { viewer }: VerifiedToken): boolean {
  return news.kind === 'ended' ? viewer.sessionId === news.sessionId : viewer.userId === news.userId;
}

function unavailable(cause: unknown): never {
  const message = 'API keys cannot be checked at the moment. Try again in a few seconds.';
  throw new SautiError('SUBGRAPH_UNAVAILABLE', message, { cause });
}
