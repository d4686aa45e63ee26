import { createHash, generateKeyPairSync } from 'node:crypto';
import type { Seal } from '../../../platform/seal';
import type { SigningKeyRow } from '../records';

export type NewSigningKey = Pick<SigningKeyRow, 'kid' | 'privateKey' | 'createdAt' | 'activeAt'> & {
  publicJwk: object;
};

/** A new ES256 key, its private half sealed, that signs from `activeAt` on. */
export function generateKey(seal: Seal, now: Date, activeAt = now): NewSigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' });
  const kid = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url').slice(0, 16);
  return {
    kid,
    privateKey: seal.seal(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string),
    publicJwk: { ...jwk, kid, alg: 'ES256', use: 'sig' },
    createdAt: now,
    activeAt,
  };
}
