import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
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
export const LEEWAY_S = 30;
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
  /** To the millisecond. */
  issuedAt: Date;
  /** When the token is refused from; the forgiven clock difference is included. */
  endsAt: Date;
}

/**
 * Signs an ES256 access token that lives `lifetimeMs`, rounded down to whole seconds. Its issue time has milliseconds (RFC
 * 7519 §2 allows that): a change of the account's rights voids what was issued before, in the same second as well.
 */
export function signAccessToken(
  viewer: Viewer,
  key: { kid: string; privateKeyPem: string },
  lifetimeMs: number,
  now: Date = new Date(),
): { token: string; expiresAt: Date } {
  const issuedAtS = now.getTime() / 1_000;
  const expires = Math.floor(issuedAtS + lifetimeMs / 1_000);
  const token = jwt.sign(
    { sid: viewer.sessionId, scope: viewer.scopes.join(' '), iat: issuedAtS, exp: expires },
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
  const [header] = token.split('.', 1);
  const { kid } = (jsonOf(header!) ?? {}) as { kid?: unknown };
  return typeof kid === 'string' && kid.length <= 64 ? kid : null;
}

/**
 * Verifies an access token and answers who it stands for, and until when. Throws UNAUTHENTICATED, telling only whether the token is
 * expired or otherwise invalid. Stricter than `jsonwebtoken` by itself: a header says nothing but `alg`, `kid` and `typ` (so
 * no `crit`, `b64`, `zip`, `jku`, `jwk`, `x5c`, …), names are not repeated, `exp` and `iat` are required, the lifetime is
 * bounded and has begun.
 */
export function verifyAccessToken(token: string, keys: JwkSet, now: Date = new Date()): VerifiedToken {
  const kid = keyIdOf(token);
  const key = keys.keys.find((candidate) => candidate.kid === kid);
  if (!key || !isPlain(token)) throw invalidToken();
  const nowS = now.getTime() / 1_000;
  const claims = claimsOf(token, key, nowS);
  const lifetime = claims.exp - claims.iat;
  const hasTimes = Number.isInteger(claims.exp) && Number.isFinite(claims.iat) && lifetime <= MAX_LIFETIME_S;
  const isFromFuture = claims.iat > nowS + LEEWAY_S;
  if (!hasTimes || isFromFuture || !claims.sub || !claims.sid) throw invalidToken();
  return {
    viewer: { userId: claims.sub, sessionId: claims.sid, scopes: claims.scope ? claims.scope.split(' ') : [] },
    issuedAt: new Date(Math.round(claims.iat * 1_000)),
    endsAt: new Date((claims.exp + LEEWAY_S) * 1_000),
  };
}

/** What the token says, when its signature, times, issuer and audience are right. */
function claimsOf(token: string, key: VerificationKey, nowS: number): AccessTokenClaims {
  try {
    return jwt.verify(token, publicKeyOf(key), {
      algorithms: ['ES256'],
      issuer: ACCESS_TOKEN_ISSUER,
      audience: ACCESS_TOKEN_AUDIENCE,
      clockTolerance: LEEWAY_S,
      clockTimestamp: nowS,
    }) as unknown as AccessTokenClaims;
  } catch (error) {
    if (!(error instanceof jwt.TokenExpiredError)) throw invalidToken(error);
    throw new SautiError('UNAUTHENTICATED', 'The access token has expired. Get a new one with refreshSession.', {
      cause: error,
    });
  }
}

/** Reading a key costs more than verifying with it. */
const publicKeys = new WeakMap<VerificationKey, KeyObject>();
function publicKeyOf(key: VerificationKey): KeyObject {
  const known = publicKeys.get(key) ?? createPublicKey({ key, format: 'jwk' });
  publicKeys.set(key, known);
  return known;
}

/**
 * Whether the header has three members, one of them our type (`alg` and `kid` are needed elsewhere), and header and payload
 * are written as we write them: without white space, and no name twice, of which parsers take one or the other (RFC 7519 §4).
 */
function isPlain(token: string): boolean {
  const [header = '', payload = ''] = token.split('.', 2);
  const names = Object.keys(jsonOf(header) ?? {});
  return (
    names.length === 3 &&
    (jsonOf(header) as { typ?: unknown }).typ === ACCESS_TOKEN_TYPE &&
    [header, payload].every((part) => Buffer.from(JSON.stringify(jsonOf(part))).toString('base64url') === part)
  );
}

/** The object that a part of a token encodes; null when it is none. */
function jsonOf(part: string): object | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

function invalidToken(cause?: unknown): SautiError {
  return new SautiError('UNAUTHENTICATED', 'The access token is not valid. Sign in again to get a new one.', { cause });
}
