import { SautiError } from '../../platform/errors';
import { keyIdOf, verifyAccessToken, type JwkSet } from '../../platform/identity/access-token';
import type { Authenticate } from '../options';

/** How long a fetched key set is used before it is fetched again. */
const KEEP_MS = 10 * 60_000;
/** Shortest time between two fetches that an unknown key id causes: anybody can make up key ids. */
const REFETCH_MS = 30_000;

/**
 * Verifies access tokens against a published key set. Keys are kept; a key id that is not among them causes another
 * fetch, at most one every 30 s. A fetch that fails leaves the old keys in use. Without any keys callers with a token
 * get SUBGRAPH_UNAVAILABLE, anonymous ones are not affected.
 */
export function createAuthenticator(options: { jwks: () => Promise<JwkSet>; now?: () => number }): Authenticate {
  const keys = cachedKeys(options.jwks, options.now ?? Date.now);
  return async (authorization) => {
    if (authorization === undefined) return null;
    const token = /^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization)?.[1];
    if (!token) throw new SautiError('UNAUTHENTICATED', 'The Authorization header must be "Bearer <access token>".');
    const kid = keyIdOf(token);
    return verifyAccessToken(token, await keys(kid));
  };
}

function cachedKeys(fetchKeys: () => Promise<JwkSet>, now: () => number): (kid: string | null) => Promise<JwkSet> {
  let keys: JwkSet | undefined;
  let fetchedAt = -Infinity;
  let pending: Promise<void> | undefined;

  const refresh = (): Promise<void> => {
    fetchedAt = now();
    pending ??= fetchKeys()
      .then(
        (fetched) => void (keys = fetched),
        () => {},
      )
      .finally(() => (pending = undefined));
    return pending;
  };
  return async (kid) => {
    const isKnown = kid !== null && keys?.keys.some((key) => key.kid === kid);
    const age = now() - fetchedAt;
    if (!keys || age > KEEP_MS || (kid !== null && !isKnown && age > REFETCH_MS)) await refresh();
    else if (!isKnown && pending) await pending;
    if (!keys)
      throw new SautiError(
        'SUBGRAPH_UNAVAILABLE',
        'Access tokens cannot be checked at the moment. Try again in a few seconds.',
      );
    return keys;
  };
}
