/**
 * What happened to the session of a client in cookie mode: the users subgraph tells it the gateway in
 * `SubgraphResult.extensions.session`, and the gateway turns it into cookies. No client sees it otherwise.
 */
export type SessionChange =
  | {
      accessToken: string;
      refreshToken: string;
      /** When the access token expires, ISO 8601. */
      expiresAt: string;
      /** When the session ends unless it is refreshed, ISO 8601. */
      sessionExpiresAt: string;
      /** Only when this device was trusted just now. */
      deviceToken?: string | null;
    }
  /** Signed out, or refused to be renewed. The device stays trusted. */
  | 'ended';

/** The change in the extensions of an answer; undefined for anything else. */
export function sessionChangeIn(extensions: unknown): SessionChange | undefined {
  if (typeof extensions !== 'object' || extensions === null) return undefined;
  const { session } = extensions as { session?: unknown };
  if (session === 'ended') return session;
  if (typeof session !== 'object' || session === null) return undefined;
  const { accessToken, refreshToken, expiresAt, sessionExpiresAt, deviceToken } = session as Record<string, unknown>;
  if (!isToken(accessToken) || !isToken(refreshToken) || !isInstant(expiresAt) || !isInstant(sessionExpiresAt))
    return undefined;
  return { accessToken, refreshToken, expiresAt, sessionExpiresAt, ...(isToken(deviceToken) ? { deviceToken } : {}) };
}

/** Characters of JSON Web Tokens and base64url, none of which has a meaning in a cookie (RFC 6265 §4.1.1). */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\w.~+/=-]{1,3000}$/.test(value);
}

function isInstant(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}
