import { createPublicKey, type JsonWebKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { SautiError } from '../errors';
import type { Viewer } from './viewer';

/** A published key (RFC 7517) that verifies access tokens. */
export interface VerificationKey extends JsonWebKey {
  kid: string;
  alg: 'ES256';
  use: 'sig';
}
export interface JwkSet {
  keys: readonly VerificationKey[];
}

export const ACCESS_TOKEN_ISSUER = 'sauti';
export const ACCESS_TOKEN_AUDIENCE = 'sauti-api';
/** RFC 9068 §2.1: keeps other kinds of JWT from being taken for an access token. */
const ACCESS_TOKEN_TYPE = 'at+jwt';
/** Clock difference between machines that is forgiven, in seconds. */
const LEEWAY_S = 30;
/** No access token may live longer, whatever it says. */
const MAX_LIFETIME_S = 3_600;

interface AccessTokenClaims {
  sub: string;
  sid: string;
  scope?: string;
  iat: number;
  exp: number;
}

/** What a token proves, and for how long. */
export interface VerifiedToken {
  viewer: Viewer;
  /** When the token is refused from; the forgiven clock difference is included. */
  endsAt: Date;
}

/** Signs an ES256 access token that lives `lifetimeMs`. */
export function signAccessToken(
  viewer: Viewer,
  key: { kid: string; privateKeyPem: string },
  lifetimeMs: number,
): { token: string; expiresAt: Date } {
  const issuedAt = Math.floor(Date.now() / 1_000);
  const expires = issuedAt + Math.floor(lifetimeMs / 1_000);
  const token = jwt.sign(
    { sid: viewer.sessionId, scope: viewer.scopes.join(' '), iat: issuedAt, exp: expires },
    key.privateKeyPem,
    {
      algorithm: 'ES256',
      keyid: key.kid,
      issuer: ACCESS_TOKEN_ISSUER,
      audience: ACCESS_TOKEN_AUDIENCE,
      subject: viewer.userId,
      header: { alg: 'ES256', kid: key.kid, typ: ACCESS_TOKEN_TYPE },
    },
  );
  return { token, expiresAt: new Date(expires * 1_000) };
}

/** The key id a token names, for looking up its key; null when the text is no JWT of ours. Proves nothing. */
export function keyIdOf(token: string): string | null {
  if (token.length > 4_096) return null;
  const header = headerOf(token);
  return typeof header?.kid === 'string' && header.kid.length <= 64 ? header.kid : null;
}

/**
 * Verifies an access token and answers who it stands for, and until when. Throws UNAUTHENTICATED, telling only whether the token is
 * expired or otherwise invalid. Stricter than `jsonwebtoken` by itself: `exp` and `iat` are required, the lifetime is
 * bounded and has begun, and `crit` and `b64` headers, which it would ignore (RFC 7515 §4.1.11), are refused.
 */
export function verifyAccessToken(token: string, keys: JwkSet): VerifiedToken {
  const kid = keyIdOf(token);
  const key = keys.keys.find((candidate) => candidate.kid === kid);
  if (!key) throw invalidToken();
  let claims: AccessTokenClaims;
  try {
    const verified = jwt.verify(token, createPublicKey({ key, format: 'jwk' }), {
      algorithms: ['ES256'],
      issuer: ACCESS_TOKEN_ISSUER,
      audience: ACCESS_TOKEN_AUDIENCE,
      clockTolerance: LEEWAY_S,
      complete: true,
    });
    const header = verified.header as jwt.JwtHeader & { b64?: unknown };
    if (header.typ !== ACCESS_TOKEN_TYPE || header.crit !== undefined || header.b64 !== undefined) throw invalidToken();
    claims = verified.payload as unknown as AccessTokenClaims;
  } catch (error) {
    if (error instanceof jwt.TokenExpiredError) {
      throw new SautiError('UNAUTHENTICATED', 'The access token has expired. Get a new one with refreshSession.', {
        cause: error,
      });
    }
    throw error instanceof SautiError ? error : invalidToken(error);
  }
  const lifetime = claims.exp - claims.iat;
  const isFromFuture = claims.iat > Date.now() / 1_000 + LEEWAY_S;
  if (!Number.isFinite(lifetime) || lifetime > MAX_LIFETIME_S || isFromFuture || !claims.sub || !claims.sid)
    throw invalidToken();
  return {
    viewer: { userId: claims.sub, sessionId: claims.sid, scopes: claims.scope ? claims.scope.split(' ') : [] },
    endsAt: new Date((claims.exp + LEEWAY_S) * 1_000),
  };
}

/** `jsonwebtoken` throws a SyntaxError for a token of type JWT whose payload is no JSON. */
function headerOf(token: string): jwt.JwtHeader | undefined {
  try {
    return jwt.decode(token, { complete: true })?.header;
  } catch {
    return undefined;
  }
}

function invalidToken(cause?: unknown): SautiError {
  return new SautiError('UNAUTHENTICATED', 'The access token is not valid. Sign in again to get a new one.', { cause });
}
