import { createHash, randomBytes } from 'node:crypto';
import type { Viewer } from './viewer';

/** How every key begins, so that scanners for leaked secrets, and we, can tell one. */
const MARK = 'sauti_';
const KEY = /^sauti_[0-9a-f]{8}_[\w-]{43}$/;

/** A new key such as `sauti_1f0c93ab_…` of 256 random bits, and its beginning, which may be shown. */
export function newApiKey(): { key: string; prefix: string } {
  const prefix = MARK + randomBytes(4).toString('hex');
  return { key: `${prefix}_${randomBytes(32).toString('base64url')}`, prefix };
}

/** Whether the text is of the form of our keys. */
export function isApiKey(text: string): boolean {
  return KEY.test(text);
}

/** Whether somebody means it to be a key, well-formed or not. */
export function looksLikeApiKey(text: string): boolean {
  return text.startsWith(MARK);
}

/** What is kept of a key, and what gateways ask about: no slow hash is needed for 256 random bits. */
export function hashOfApiKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** What a key proves, as the users subgraph answers it. */
export interface VerifiedApiKey {
  viewer: Viewer;
  /** When it stops working; null: when it is revoked. */
  expiresAt: Date | null;
  /** When that was looked up, by the clock that access changes are dated with. */
  checkedAt: Date;
}
/** Asks the users subgraph who has the key of this hash; null when none works that has it. */
export type VerifyApiKey = (keyHash: string) => Promise<VerifiedApiKey | null>;
