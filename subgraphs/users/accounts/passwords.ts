import { createHash } from 'node:crypto';
import bcrypt from 'bcrypt';

/** bcrypt's work factor: about 0.1 s of CPU; OWASP asks for at least 10. */
const COST = 11;
export const MIN_PASSWORD_LENGTH = 8;
export const MAX_PASSWORD_LENGTH = 256;

/** The first of every published list of stolen passwords that are long enough to be allowed here. */
const COMMON = new Set(
  'password password1 password123 passw0rd 12345678 123456789 1234567890 87654321 11111111 00000000 qwertyui qwerty123 qwertyuiop iloveyou sunshine princess football baseball superman trustno1 letmein1 welcome1 abc12345 abcd1234 1q2w3e4r 1qaz2wsx zaq12wsx asdfghjkl computer michelle whatever starwars jennifer corvette maverick'.split(
    ' ',
  ),
);

/** Why a password is refused, or null when it is fine. `personal` are texts it must not be, such as the e-mail address. */
export function passwordWeakness(password: string, personal: readonly string[]): string | null {
  const length = [...password].length;
  if (length < MIN_PASSWORD_LENGTH)
    return `A password has at least ${MIN_PASSWORD_LENGTH} characters; this one has ${length}.`;
  if (length > MAX_PASSWORD_LENGTH)
    return `A password has at most ${MAX_PASSWORD_LENGTH} characters; this one has ${length}.`;
  const lower = password.toLowerCase();
  if (COMMON.has(lower) || new Set(lower).size < 3) return 'This password is among the first that anybody would guess.';
  if (personal.some((text) => text.length > 0 && text.toLowerCase() === lower))
    return 'The password must not be your name or address.';
  return null;
}

export function hashPassword(password: string): Promise<string> {
  return bcrypt.hash(prehash(password), COST);
}

/**
 * Compares in constant work: with no hash (an unknown account) a comparison against a dummy takes as long, so the time
 * does not tell whether an address is registered.
 */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
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
