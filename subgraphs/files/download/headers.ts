import type { OutgoingHttpHeaders } from 'node:http';
import type { DownloadGrant } from '../../../platform/objects/signed-url';
import type { FileRow } from '../records';

/** Sent with every answer of the byte route, refusals included: a page of any origin may use a link it was given. */
export const CORS_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'accept-ranges, content-disposition, content-length, content-range, etag',
  'cross-origin-resource-policy': 'cross-origin',
  'x-content-type-options': 'nosniff',
} as const;

/** What is told about a file's bytes. Files come from strangers: none of these lets them run as a page of ours. */
export function headersOf(file: FileRow, grant: DownloadGrant): OutgoingHttpHeaders {
  const secondsLeft = Math.max(0, Math.floor((grant.expiresAt.getTime() - Date.now()) / 1_000));
  return {
    ...CORS_HEADERS,
    'accept-ranges': 'bytes',
    'cache-control': `private, max-age=${secondsLeft}`,
    'content-disposition': dispositionOf(file.name, grant.disposition),
    'content-security-policy': "sandbox; default-src 'none'",
    'content-type': servedType(file.mimeType),
    etag: etagOf(file),
    'referrer-policy': 'no-referrer',
  };
}

/** A strong validator (RFC 9110 §8.8.1): equal digests are equal bytes. */
export function etagOf(file: FileRow): string {
  return `"${file.sha256}"`;
}

/** Markup is served as the text it is, so that no browser renders it. */
function servedType(mimeType: string): string {
  return /^text\/|html|xml/.test(mimeType) ? 'text/plain; charset=utf-8' : mimeType;
}

/**
 * RFC 6266: an ASCII name for old clients and the real one as `filename*` (RFC 8187). Path separators are replaced in
 * both, because not every client does it. Quotes and percent signs are read differently by different browsers.
 */
function dispositionOf(name: string, disposition: DownloadGrant['disposition']): string {
  const safe = name.replace(/[/\\]/g, '_');
  const ascii = safe.replace(/[^ -~]|["%]/gu, '_');
  const encoded = encodeURIComponent(safe).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return `${disposition.toLowerCase()}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
