import { createHash, generateKeyPairSync } from 'node:crypto';
import type { JwkSet, VerificationKey } from '../../../platform/identity/access-token';
import type { UserRecords } from '../records';

interface SigningKey {
  kid: string;
  privateKeyPem: string;
}

/** The ES256 keys of this deployment. They live in the database, so every replica signs with the same one. */
export class SigningKeys {
  private loaded: Promise<{ current: SigningKey; jwks: JwkSet }> | undefined;

  constructor(private readonly records: UserRecords) {}

  /** The key that signs now. The first call of a new deployment makes it. */
  async current(): Promise<SigningKey> {
    return (await this.load()).current;
  }

  /** The public halves (RFC 7517), for whoever verifies access tokens. */
  async jwks(): Promise<JwkSet> {
    return (await this.load()).jwks;
  }

  private load(): Promise<{ current: SigningKey; jwks: JwkSet }> {
    this.loaded ??= this.read().catch((error: unknown) => {
      this.loaded = undefined; // a database that was away must not be remembered as a missing key
      throw error;
    });
    return this.loaded;
  }

  private async read(): Promise<{ current: SigningKey; jwks: JwkSet }> {
    let keys = await this.records.signingKeys();
    if (keys.length === 0) {
      await this.records.insertFirstSigningKey(generateKey());
      keys = await this.records.signingKeys();
    }
    const newest = keys[0]!;
    return {
      current: { kid: newest.kid, privateKeyPem: newest.privateKey },
      jwks: { keys: keys.map((key) => key.publicJwk as unknown as VerificationKey) },
    };
  }
}

function generateKey(): { kid: string; privateKey: string; publicJwk: object } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = publicKey.export({ format: 'jwk' });
  const kid = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url').slice(0, 16);
  return {
    kid,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    publicJwk: { ...jwk, kid, alg: 'ES256', use: 'sig' },
  };
}
