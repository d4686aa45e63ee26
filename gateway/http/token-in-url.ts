import { keyIdOf } from '../../platform/identity/access-token';
import { looksLikeApiKey } from '../../platform/identity/api-key';

/** Parameters by whose names access tokens and API keys travel in URLs (RFC 6750 §2.3, and what clients make up). */
const TOKEN_NAMES = /^(access[-_]?token|authorization|bearer|id[-_]?token|jwt|(x[-_])?api[-_]?key)$/i;

/**
 * Whether a URL carries an access token, or an API key under whatever name, which logs and histories would keep (RFC 9700
 * §2.4). Where `token` may also name a reserved stream (graphql-sse), it is one only when it looks like one.
 */
export function hasAccessToken(search: URLSearchParams, { mayNameStream }: { mayNameStream: boolean }): boolean {
  return [...search].some(
    ([name, value]) =>
      TOKEN_NAMES.test(name) ||
      looksLikeApiKey(value) ||
      (/^token$/i.test(name) && (!mayNameStream || keyIdOf(value) !== null)),
  );
}
