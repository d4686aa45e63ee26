import { createHash, randomBytes } from 'node:crypto';

export const RECOVERY_CODE_COUNT = 10;
/** As many as nobody guesses, so that a fast hash is enough and wrong ones need not be counted. */
const CODE_BYTES = 10;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford base32: no letter that looks like a digit
const CODE = /^[0-9a-hjkmnp-tv-z]{16}$/;

/** New codes such as `7k2m-q0xv-93ta-d8pw`: 80 random bits each. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODE_COUNT }, newRecoveryCode);
}

/** What is kept of a code, however its owner types it; null for what cannot be one. */
export function recoveryCodeHash(text: string): string | null {
  if (text.length > 64) return null;
  const code = text.toLowerCase().replaceAll(/[\s-]/g, '').replaceAll('o', '0').replaceAll(/[il]/g, '1');
  return CODE.test(code) ? createHash('sha256').update(code).digest('hex') : null;
}

function newRecoveryCode(): string {
  let bits = BigInt(`0x${randomBytes(CODE_BYTES).toString('hex')}`);
  let code = '';
  for (let index = 0; index < 16; index++) {
    code += ALPHABET[Number(bits & 31n)]!;
    bits >>= 5n;
  }
  return code.match(/.{4}/g)!.join('-');
}
