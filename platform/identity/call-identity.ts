import { createHash, hkdfSync } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { CallIdentity, ClientFacts } from './viewer';

/** What is signed in place of a body that is streamed: a GraphQL multipart request. */
export const MULTIPART_BODY = 'multipart';
/** What is signed for a graphql-ws connection; the token travels as `authorization` in the connection_init payload. */
export const SOCKET_BODY = 'connection_init';

/** How long a signed identity may be used, in seconds. It covers one call, not a session. */
const LIFETIME_S = 30;
const LEEWAY_S = 15;

interface CallClaims {
  sub?: string;
  sid?: string;
  scope?: string;
  jti: string;
  /** See `CallIdentity.client`. */
  client?: ClientFacts;
  iat: number;
  /** SHA-256 of the request body, base64url; see {@link MULTIPART_BODY} and {@link SOCKET_BODY}. */
  body: string;
}

/**
 * The key that signs calls to one subgraph. Each subgraph holds only its own, derived from the gateway's secret with
 * HKDF (RFC 5869), so what one subgraph can verify it cannot forge for another.
 */
export function deriveCallKey(secret: string, subgraph: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'sauti', `call-identity:${subgraph}`, 32));
}

/** Signs who asks, for one body sent to one subgraph. The result goes into `Authorization: Bearer …`. */
export function signCallIdentity(
  key: Buffer,
  subgraph: string,
  identity: CallIdentity,
  body: string,
  now: Date = new Date(),
): string {
  const viewer = identity.viewer;
  return jwt.sign(
    {
      ...(viewer ? { sub: viewer.userId, sid: viewer.sessionId, scope: viewer.scopes.join(' ') } : {}),
      jti: identity.requestId,
      ...(identity.client ? { client: identity.client } : {}),
      iat: Math.floor(now.getTime() / 1_000),
      body: digest(body),
    },
    key,
    { algorithm: 'HS256', issuer: 'sauti-gateway', audience: subgraph, expiresIn: LIFETIME_S },
  );
}

/** Who asks, or null when the text does not prove that the gateway signed this body for this subgraph just now. */
export function verifyCallIdentity(
  key: Buffer,
  subgraph: string,
  authorization: string | undefined,
  body: string,
  now: Date = new Date(),
): CallIdentity | null {
  const claims = callClaims(key, subgraph, authorization, now);
  if (!claims || claims.body !== digest(body)) return null;
  const viewer =
    claims.sub && claims.sid
      ? { userId: claims.sub, sessionId: claims.sid, scopes: claims.scope ? claims.scope.split(' ') : [] }
      : null;
  return { viewer, requestId: claims.jti, ...(claims.client ? { client: claims.client } : {}) };
}

/** Whether the gateway signed some body for this subgraph just now: worth knowing before a body is read. */
export function isSignedCall(
  key: Buffer,
  subgraph: string,
  authorization: string | undefined,
  now: Date = new Date(),
): boolean {
  return callClaims(key, subgraph, authorization, now) !== null;
}

function callClaims(key: Buffer, subgraph: string, authorization: string | undefined, now: Date): CallClaims | null {
  const token = /^Bearer ([\w.-]{20,4096})$/.exec(authorization ?? '')?.[1];
  if (!token) return null;
  try {
    const claims = jwt.verify(token, key, {
      algorithms: ['HS256'],
      issuer: 'sauti-gateway',
      audience: subgraph,
      clockTimestamp: Math.floor(now.getTime() / 1_000),
      clockTolerance: LEEWAY_S,
      maxAge: LIFETIME_S + LEEWAY_S,
    }) as CallClaims;
    // `jsonwebtoken` takes what was issued in the future, as it is for a clock that was set back.
    const isFromFuture = claims.iat > now.getTime() / 1_000 + LEEWAY_S;
    return typeof claims.jti === 'string' && !isFromFuture ? claims : null;
  } catch {
    return null;
  }
}

function digest(body: string): string {
  return createHash('sha256').update(body).digest('base64url');
}
