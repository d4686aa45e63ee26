import { createHash } from 'node:crypto';
import bcrypt from 'bcrypt';
import { isTooLong } from './password-strength';

/** bcrypt's work factor: about 0.1 s of CPU; OWASP asks for at least 10. */
const COST = 11;

export function hashPassword(password: string): Promise<string> {
  return bcrypt.hash(prehash(password), COST);
}

/**
 * Compares in constant work: with no hash (an unknown account, or one without a password) a comparison against a dummy
 * takes as long, so the time does not tell whether an address is registered. What is too long for any password is not
 * compared at all, for nobody.
 */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  if (isTooLong(password)) return false;
  const matches = await bcrypt.compare(prehash(password), hash ?? (await dummyHash()));
  return matches && hash !== null;
}

/**
 * bcrypt reads only 72 bytes and stops at a NUL, so a long password would match any other with the same beginning.
 * A digest in base64 (44 characters, no NUL) keeps every byte. NFKC first: one password, however a keyboard composes it.
 */
function prehash(password: string): string {
  return createHash('sha256').update(password.normalize('NFKC')).digest('base64');
}

let dummy: Promise<string> | undefined;
function dummyHash(): Promise<string> {
  return (dummy ??= hashPassword('a password that belongs to nobody'));
}
