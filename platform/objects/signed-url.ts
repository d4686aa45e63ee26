import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

export type Disposition = 'ATTACHMENT' | 'INLINE';
export interface DownloadGrant {
  objectId: string;
  disposition: Disposition;
  expiresAt: Date;
}

/** The key for download links, derived from the deployment's secret (HKDF, RFC 5869). */
export function deriveDownloadKey(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'sauti', 'download-link', 32));
}

/** A link that carries the right to read one object until it expires; it needs no token and names no user. */
export function signDownload(key: Buffer, baseUrl: string, grant: DownloadGrant): string {
  const url = new URL(`files/${grant.objectId}`, withSlash(baseUrl));
  url.searchParams.set('expires', seconds(grant.expiresAt));
  url.searchParams.set('disposition', grant.disposition.toLowerCase());
  url.searchParams.set('signature', signatureOf(key, textOf(grant.objectId, url.searchParams)));
  return url.href;
}

/** The right to read an object and all its parts by their names. */
export interface BundleGrant {
  objectId: string;
  expiresAt: Date;
}

/**
 * A link to an object under its name that carries the right in its path: the names of parts, relative to it, are links
 * too. So a player that is given a playlist can read what the playlist names.
 */
export function signBundle(key: Buffer, baseUrl: string, grant: BundleGrant, name: string): string {
  const expires = seconds(grant.expiresAt);
  const signature = signatureOf(key, bundleTextOf(grant.objectId, expires));
  const path = `files/${grant.objectId}/${expires}/${signature}/${encodeURIComponent(name)}`;
  return new URL(path, withSlash(baseUrl)).href;
}

/** What a link grants, or null when it was changed or has expired. */
export function verifyDownload(key: Buffer, url: URL, now: Date = new Date()): DownloadGrant | null {
  const objectId = /^\/files\/(fil_[0-9a-z]{26})$/.exec(url.pathname)?.[1];
  if (!objectId) return null;
  const text = textOf(objectId, url.searchParams);
  const expiresAt = validUntil(key, text, url.searchParams.get('signature'), url.searchParams.get('expires'), now);
  if (!expiresAt) return null;
  return {
    objectId,
    disposition: url.searchParams.get('disposition') === 'inline' ? 'INLINE' : 'ATTACHMENT',
    expiresAt,
  };
}

/** What a link made by {@link signBundle}, or one relative to it, grants and names; null when it was changed or has expired. */
export function verifyBundle(key: Buffer, url: URL, now: Date = new Date()): (BundleGrant & { name: string }) | null {
  const path = /^\/files\/(fil_[0-9a-z]{26})\/(\d{1,15})\/([\w-]{43})\/([^/]{1,255})$/.exec(url.pathname);
  const [, objectId, expires, signature, encodedName] = path ?? [];
  if (!objectId || !expires || !signature || !encodedName) return null;
  const expiresAt = validUntil(key, bundleTextOf(objectId, expires), signature, expires, now);
  const name = decodeName(encodedName);
  return expiresAt && name !== null ? { objectId, expiresAt, name } : null;
}

function validUntil(
  key: Buffer,
  text: string,
  signature: string | null,
  expires: string | null,
  now: Date,
): Date | null {
  const expected = Buffer.from(signatureOf(key, text));
  const actual = Buffer.from(signature ?? '');
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) return null;
  const expiresAt = new Date(Number(expires) * 1_000);
  return expiresAt > now ? expiresAt : null;
}

function textOf(objectId: string, parameters: URLSearchParams): string {
  return `${objectId}\n${parameters.get('expires') ?? ''}\n${parameters.get('disposition') ?? ''}`;
}

/** Begins as no text of {@link textOf} does: neither signature is ever good for the other kind of link. */
function bundleTextOf(objectId: string, expires: string): string {
  return `bundle\n${objectId}\n${expires}`;
}

function signatureOf(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

function decodeName(encoded: string): string | null {
  try {
    const name = decodeURIComponent(encoded);
    return name.includes('\0') ? null : name; // PostgreSQL takes no NUL
  } catch {
    return null;
  }
}

function seconds(instant: Date): string {
  return String(Math.floor(instant.getTime() / 1_000));
}

function withSlash(baseUrl: string): string {
  return baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`;
}
