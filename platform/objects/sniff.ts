import { fileTypeFromBuffer } from 'file-type';

/** How many leading bytes a type is told from; what `file-type` asks for. */
export const SNIFF_BYTES = 4_100;

/**
 * The MIME type of a file, told from its first bytes and never from its name. Text is `text/plain`, playlists and
 * markup get their own types so that they cannot pass for media; unknown bytes are `application/octet-stream`.
 */
export async function sniffMimeType(head: Uint8Array): Promise<string> {
  const text = decodeText(head);
  if (text !== null) return textType(text);
  const known = await fileTypeFromBuffer(head).catch(() => undefined);
  return known?.mime.split(';')[0] ?? 'application/octet-stream';
}

function textType(text: string): string {
  const start = text.trimStart().slice(0, 64).toLowerCase();
  if (start.startsWith('#extm3u')) return 'application/vnd.apple.mpegurl';
  if (start.startsWith('<svg') || (start.startsWith('<?xml') && text.includes('<svg'))) return 'image/svg+xml';
  if (start.startsWith('<!doctype html') || start.startsWith('<html')) return 'text/html';
  return 'text/plain';
}

/** The bytes as UTF-8 text, or null when they hold control characters or are no UTF-8 (a cut character at the end is forgiven). */
function decodeText(head: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    // eslint-disable-next-line no-control-regex -- control characters are exactly what tells binary from text
    return head.length > 0 && !/[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text) ? text : null;
  } catch {
    return null;
  }
}
