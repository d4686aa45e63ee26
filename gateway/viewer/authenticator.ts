import { LRUCache } from 'lru-cache';
import { SautiError } from '../../platform/errors';
import {
  keyIdOf,
  LEEWAY_S,
  verifyAccessToken,
  type JwkSet,
  type VerifiedToken,
} from '../../platform/identity/access-token';
import type { Authenticate } from '../options';
import { KeySet } from './key-set';

/** Tokens kept; each takes about 1 KB. */
const CACHE_SIZE = 10_000;

export interface AuthenticatorOptions {
  jwks: () => Promise<JwkSet>;
  clock?: () => Date;
  /** Tokens that are remembered, so that their signature is verified once. Default 10 000. */
  cacheSize?: number;
}

/**
 * Verifies access tokens against a published key set, each token once: a good one is remembered until it ends, to the
 * millisecond, or until the key set changes. Without any keys callers with a token get SUBGRAPH_UNAVAILABLE, anonymous ones
 * are not affected.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const { jwks, clock = () => new Date(), cacheSize = CACHE_SIZE } = options;
  const verified = new LRUCache<string, VerifiedToken>({ max: cacheSize });
  const keys = new KeySet({ fetchKeys: jwks, onChange: () => verified.clear(), clock });
  return async (authorization) => {
    if (authorization === undefined) return null;
    const token = /^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization)?.[1];
    if (!token) throw new SautiError('UNAUTHENTICATED', 'The Authorization header must be "Bearer <access token>".');
    const known = keys.ready && verified.get(token);
    if (known && isGood(known, clock())) return known;
    verified.delete(token);
    const set = await keys.for(keyIdOf(token));
    const good = verifyAccessToken(token, set, clock());
    // Other keys may have come while it was awaited; then the next call decides by them.
    if (set === keys.ready) verified.set(token, good);
    return good;
  };
}

/** What `verifyAccessToken` says about the times, for a clock that may have been set. */
function isGood({ issuedAt, endsAt }: VerifiedToken, now: Date): boolean {
  return now < endsAt && now.getTime() >= issuedAt.getTime() - LEEWAY_S * 1_000;
}
