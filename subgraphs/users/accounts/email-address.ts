import { UserProblemError } from '../../../platform/errors';
import type { UsersProblemCode } from '../errors';

const MAX_EMAIL_LENGTH = 254; // RFC 5321 §4.5.3.1.3, without the angle brackets
const MAX_LOCAL_LENGTH = 64; // RFC 5321 §4.5.3.1.1

/** Atoms of RFC 5322 §3.2.3 and letters of all scripts (RFC 6531): nothing that a header or a list could be made of. */
const LOCAL = /^[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+)*$/u;
const DOMAIN =
  /^(?:[\p{L}\p{N}\p{M}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?\.)+[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}]$/u;

/** The address as typed, without white space around it. Throws INVALID_INPUT for what no mail can be sent to. */
export function checkedEmail(text: string): string {
  if (text.length <= 2 * MAX_EMAIL_LENGTH) {
    const email = text.trim();
    const [local = '', domain = '', ...rest] = email.split('@');
    const hasLengths = Buffer.byteLength(email) <= MAX_EMAIL_LENGTH && Buffer.byteLength(local) <= MAX_LOCAL_LENGTH;
    if (hasLengths && rest.length === 0 && LOCAL.test(local) && DOMAIN.test(domain)) return email;
  }
  throw new UserProblemError<UsersProblemCode>({
    code: 'INVALID_INPUT',
    message: 'This is not an e-mail address.',
    path: ['input', 'email'],
  });
}

/**
 * What must be unique: addresses are compared without case and composition, so one mailbox cannot hold two accounts by
 * accident. Mails always go to the address that the account has, never to the one that was found by this key.
 */
export function emailKeyOf(email: string): string {
  return email.trim().normalize('NFC').toLowerCase();
}

/** The key of the address; null for a text that is none, which no account can have. */
export function possibleEmailKey(text: string): string | null {
  try {
    return emailKeyOf(checkedEmail(text));
  } catch {
    return null;
  }
}
