import type { Seal } from '../../../platform/seal';
import type { SigningKeyRow, UserRecords } from '../records';
import { generateKey } from './generate-key';
import { isPublished, signerAmong } from './signer';
import { RELOAD_MS } from './signing-keys';

/** Whoever fetches the public keys may keep them for five minutes (`cache-control`); twice that until a new one signs. */
export const OVERLAP_MS = 10 * 60_000;
/**
 * How long a key is published after it has signed last: its last token lives ten minutes and 30 s of clock difference,
 * another process signs until it has reloaded, and a minute for good measure.
 */
export const LAST_TOKEN_MS = 10 * 60_000 + 30_000 + RELOAD_MS + 60_000;

export type KeyState = 'coming' | 'signing' | 'published' | 'retired';

/** What one key is good for at that time. */
export function stateOf(key: SigningKeyRow, keys: readonly SigningKeyRow[], now: Date): KeyState {
  if (!isPublished(key, now)) return 'retired';
  if (key.activeAt > now) return 'coming';
  return signerAmong(keys, now)?.kid === key.kid ? 'signing' : 'published';
}

/** Commands for the keys that sign access tokens; `npm run keys` says them. */
export class KeyRotation {
  constructor(
    private readonly records: UserRecords,
    private readonly seal: Seal,
    private readonly clock: () => Date,
  ) {}

  /** All keys, newest first. */
  list(): Promise<SigningKeyRow[]> {
    return this.records.signingKeys();
  }

  /**
   * Makes a new key: published from now on, signing after ten minutes; the others retire by themselves when their last token
   * is over. `atOnce` it signs now: whoever has kept the public keys refuses its tokens until they fetch them again.
   * Answers its id.
   */
  async rotate({ atOnce = false } = {}): Promise<string> {
    const now = this.clock();
    const activeAt = new Date(now.getTime() + (atOnce ? 0 : OVERLAP_MS));
    const key = generateKey(this.seal, now, activeAt);
    await this.records.replaceSigningKeys(key, new Date(activeAt.getTime() + LAST_TOKEN_MS));
    return key.kid;
  }

  /**
   * Ends the signing of a key; it is published until its last token is over. `atOnce` (it was stolen) it is published no
   * longer, so its tokens are void as soon as the gateways fetch the keys again. Throws when it is unknown, or when there is
   * no other key to sign with. Answers from when it is not published.
   */
  async retire(kid: string, { atOnce = false } = {}): Promise<Date> {
    const now = this.clock();
    return this.records.retireSigningKey(kid, new Date(now.getTime() + (atOnce ? 0 : LAST_TOKEN_MS)), (keys) => {
      if (!keys.some((key) => key.kid === kid)) throw new Error(`There is no key ${kid}.`);
      const others = keys.filter((key) => key.kid !== kid);
      if (!signerAmong(others, now))
        throw new Error('No other key signs now. Make one first: npm run keys -- rotate --now');
    });
  }
}
