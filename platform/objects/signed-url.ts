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
  const url = new URL(`files/${grant.objectId}`, baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`);
  url.searchParams.set('expires', String(Math.floor(grant.expiresAt.getTime() / 1_000)));
  url.searchParams.set('disposition', grant.disposition.toLowerCase());
  url.searchParams.set('signature', signatureOf(key, grant.objectId, url.searchParams));
  return url.href;
}

/** What a link grants, or null when it was changed or has expired. */
export function verifyDownload(key: Buffer, url: URL, now: Date = new Date()): DownloadGrant | null {
  const objectId = /^\/files\/(fil_[0-9a-z]{26})$/.exec(url.pathname)?.[1];
  if (!objectId) return null;
  const expected = Buffer.from(signatureOf(key, objectId, url.searchParams));
  const actual = Buffer.from(url.searchParams.get('signature') ?? '');
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) return null;
  const expiresAt = new Date(Number(url.searchParams.get('expires')) * 1_000);
  if (!(expiresAt > now)) return null;
  return {
    objectId,
    disposition: url.searchParams.get('disposition') === 'inline' ? 'INLINE' : 'ATTACHMENT',
    expiresAt,
  };
}

function signatureOf(key: Buffer, objectId: string, parameters: URLSearchParams): string {
  const text = `${objectId}\n${parameters.get('expires') ?? ''}\n${parameters.get('disposition') ?? ''}`;
  return createHmac('sha256', key).update(text).digest('base64url');
}
