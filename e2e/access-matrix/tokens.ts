import { generateKeyPairSync } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { createAuthenticator } from '../../gateway/viewer/authenticator';
import { ACCESS_TOKEN_AUDIENCE, ACCESS_TOKEN_ISSUER } from '../../platform/identity/access-token';
import type { Viewer } from '../../platform/identity/viewer';

const KID = 'matrix';
const LIFETIME_S = 600;

/** Access tokens as the users subgraph signs them, also such as have expired. */
export class TestTokens {
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  /** For a gateway that trusts these tokens. */
  readonly authenticate = createAuthenticator({
    jwks: async () => ({
      keys: [{ ...this.keys.publicKey.export({ format: 'jwk' }), kid: KID, alg: 'ES256', use: 'sig' }],
    }),
  });

  /** An Authorization header's value. */
  of({ userId, sessionId, scopes }: Viewer, issuedAtMs = Date.now()): string {
    const iat = Math.floor(issuedAtMs / 1_000);
    const claims = { sub: userId, sid: sessionId, scope: scopes.join(' '), iat, exp: iat + LIFETIME_S };
    const token = jwt.sign({ ...claims, iss: ACCESS_TOKEN_ISSUER, aud: ACCESS_TOKEN_AUDIENCE }, this.keys.privateKey, {
      algorithm: 'ES256',
      header: { alg: 'ES256', kid: KID, typ: 'at+jwt' },
    });
    return `Bearer ${token}`;
  }
}
