import type { JwkSet, VerificationKey } from '../../../platform/identity/access-token';
import type { Logger } from '../../../platform/logger';
import { createSeal, isSealed, type Seal } from '../../../platform/seal';
import type { SigningKeyRow, UserRecords } from '../records';
import { generateKey } from './generate-key';
import { isPublished, signerAmong } from './signer';

/** How long what was read is used before it is read again: a key that `npm run keys` makes or retires. */
export const RELOAD_MS = 30_000;
const PURPOSE = 'signing-keys';

interface SigningKey {
  kid: string;
  privateKeyPem: string;
}

interface Loaded {
  rows: SigningKeyRow[];
  /** Private keys by id; those that were sealed with another secret are missing. */
  privateKeys: ReadonlyMap<string, string>;
  loadedAt: number;
}

/** The seal of private keys, for a deployment's secret. */
export function signingKeySeal(secret: string): Seal {
  return createSeal(secret, PURPOSE);
}

/**
 * The ES256 keys of this deployment. They live in the database, private halves sealed, so every replica signs with the same
 * one. Rejects when they were never read and the database is away; later, what was read stays in use.
 */
export class SigningKeys {
  private loaded: Loaded | undefined;
  private loading: Promise<Loaded> | undefined;
  private readonly unreadable = new Set<string>();

  constructor(
    private readonly records: UserRecords,
    private readonly seal: Seal,
    private readonly clock: () => Date,
    private readonly logger: Logger,
  ) {}

  /** The key that signs now. The first call of a new deployment makes it. */
  async current(): Promise<SigningKey> {
    let loaded = await this.load();
    const now = this.clock();
    const row = signerOf(loaded, now) ?? signerOf((loaded = await this.reload()), now);
    if (!row) throw new Error('There is no key that signs access tokens.');
    return { kid: row.kid, privateKeyPem: loaded.privateKeys.get(row.kid)! };
  }

  /** The public halves (RFC 7517) of all keys that are not retired, for whoever verifies access tokens. */
  async jwks(): Promise<JwkSet> {
    const { rows } = await this.load();
    const now = this.clock();
    const published = rows.filter((row) => isPublished(row, now));
    return { keys: published.map((row) => row.publicJwk as unknown as VerificationKey) };
  }

  private async load(): Promise<Loaded> {
    if (!this.loaded) return this.reload();
    // Whether the clock has gone on or back since then.
    if (Math.abs(this.clock().getTime() - this.loaded.loadedAt) <= RELOAD_MS) return this.loaded;
    return this.reload().catch((error: unknown) => {
      this.logger.warn({ error }, 'the signing keys cannot be read again; those known stay in use');
      return this.loaded!;
    });
  }

  private reload(): Promise<Loaded> {
    this.loading ??= this.read().finally(() => (this.loading = undefined));
    return this.loading;
  }

  private async read(): Promise<Loaded> {
    const now = this.clock();
    let loaded = await this.unsealed(await this.records.signingKeys(), now);
    if (!signerOf(loaded, now)) {
      const rows = await this.records.insertSigningKey(generateKey(this.seal, now), async (present) => {
        return !signerOf(await this.unsealed(present, now), now);
      });
      loaded = await this.unsealed(rows, now);
    }
    return (this.loaded = loaded);
  }

  /** Seals on the way what an older version has left unsealed. */
  private async unsealed(rows: SigningKeyRow[], now: Date): Promise<Loaded> {
    const privateKeys = new Map<string, string>();
    for (const { kid, privateKey } of rows) {
      if (!isSealed(privateKey)) {
        await this.records.sealSigningKey(kid, privateKey, this.seal.seal(privateKey));
        privateKeys.set(kid, privateKey);
        continue;
      }
      try {
        privateKeys.set(kid, this.seal.unseal(privateKey));
      } catch (error) {
        if (this.unreadable.has(kid)) continue;
        this.unreadable.add(kid);
        this.logger.warn({ error, kid }, 'a signing key was sealed with another SAUTI_SECRET and cannot sign any more');
      }
    }
    return { rows, privateKeys, loadedAt: now.getTime() };
  }
}

function signerOf({ rows, privateKeys }: Loaded, now: Date): SigningKeyRow | undefined {
  return signerAmong(
    rows.filter(({ kid }) => privateKeys.has(kid)),
    now,
  );
}
