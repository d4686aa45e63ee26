import { Secret, TOTP } from 'otpauth';

/** What authenticator apps take for granted (RFC 6238; the key URI format of Google Authenticator). */
const SETTINGS = { algorithm: 'SHA1', digits: 6, period: 30 } as const;
/** RFC 4226 §4 R6 recommends 160 bits. */
const SECRET_BYTES = 20;
/** Steps before and after the present one that are taken, for clocks that differ and people who type (RFC 6238 §5.2). */
const WINDOW = 1;
const ISSUER = 'Sauti';

/** A new secret in base32. */
export function newTotpSecret(): string {
  return new Secret({ size: SECRET_BYTES }).base32;
}

/** What an app reads from a QR code. */
export function totpUri(secret: string, accountName: string): string {
  return new TOTP({ ...SETTINGS, issuer: ISSUER, label: accountName, secret }).toString();
}

/** Whether the text can be a code of an app at all. */
export function isTotpCode(text: string): boolean {
  return /^\d{6}$/.test(text);
}

/** The code as an app shows it, which puts a space into it. */
export function normalizedTotpCode(text: string): string {
  return text.length <= 20 ? text.replaceAll(/\s/g, '') : '';
}

/**
 * The time step the code is of, at most one before or after that of `now`; null when it is of none of them. Whoever takes
 * a code must remember its step and take none up to it again (RFC 6238 §5.2).
 */
export function stepOfCode(secret: string, code: string, now: Date): number | null {
  if (!isTotpCode(code)) return null;
  const timestamp = now.getTime();
  const delta = TOTP.validate({
    ...SETTINGS,
    secret: Secret.fromBase32(secret),
    token: code,
    timestamp,
    window: WINDOW,
  });
  return delta === null ? null : TOTP.counter({ period: SETTINGS.period, timestamp }) + delta;
}
