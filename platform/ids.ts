import { randomBytes } from 'node:crypto';

/** Prefixes of every public id; the noun a prefix stands for. */
export const ID_PREFIXES = {
  usr: 'User',
  ses: 'Session',
  fil: 'File',
  med: 'Media',
  trn: 'Transcript',
  seg: 'TranscriptSegment',
  spk: 'Speaker',
  ttr: 'TranscriptTranslation',
  rnd: 'Rendition',
  liv: 'LiveSession',
  job: 'Job',
  ntf: 'Notification',
  idn: 'Identity',
  mfa: 'MfaFactor',
  key: 'ApiKey',
  crd: 'CreditEntry',
  aud: 'AuditEvent',
  mal: 'Mail',
} as const;
export type IdPrefix = keyof typeof ID_PREFIXES;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford base32: sorts like the number it writes

/**
 * A new global id such as `med_06f2k…`: prefix, then a UUIDv7 (RFC 9562 §5.7: 48 bits of Unix milliseconds, version,
 * random) in 26 characters of Crockford base32, so ids of one kind sort by creation time and reveal no count.
 */
export function newId(prefix: IdPrefix, now: number = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  let value = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (let index = 0; index < 26; index++) {
    text = ALPHABET[Number(value & 31n)]! + text;
    value >>= 5n;
  }
  return `${prefix}_${text}`;
}

/** Whether a client's string can be an id of this kind at all; anything else is answered like an unknown id, without a query. */
export function isId(prefix: IdPrefix, value: string): boolean {
  return value.length === 30 && value.startsWith(`${prefix}_`) && /^[0-9a-hjkmnp-tv-z]{26}$/.test(value.slice(4));
}
