import { fileTypeFromBuffer } from 'file-type/node'; // the package's main entry is for import only

/** How many leading bytes a type is told from; what `file-type` asks for. */
export const SNIFF_BYTES = 4_100;

const UNKNOWN = 'application/octet-stream';
/** What `file-type` does not know, by the first four bytes: Apple's CAF, and AU of Sun and NeXT. */
const TYPES_BY_MAGIC: Readonly<Record<string, string>> = { caff: 'audio/x-caf', '.snd': 'audio/basic' };

/**
 * The MIME type of a file, told from its first bytes and never from its name. Text is `text/plain`, playlists and
 * markup get their own types so that they cannot pass for media; unknown bytes are {@link UNKNOWN}.
 */
export async function sniffMimeType(head: Uint8Array): Promise<string> {
  const text = decodeText(head);
  if (text !== null) return textType(text);
  const known = await fileTypeFromBuffer(head).catch(() => undefined);
  return known?.mime.split(';')[0] ?? TYPES_BY_MAGIC[Buffer.from(head.subarray(0, 4)).toString('latin1')] ?? UNKNOWN;
}

function textType(text: string): string {
  const markup = text.replace(/^(?:\s|<!--[^]*?-->)+/, '').toLowerCase();
  if (markup.startsWith('#extm3u')) return 'application/vnd.apple.mpegurl';
  if (markup.startsWith('<svg') || (markup.startsWith('<?xml') && markup.includes('<svg'))) return 'image/svg+xml';
  if (/^(<!doctype html|<html|<head|<body|<script)/.test(markup)) return 'text/html';
  return markup.startsWith('<?xml') ? 'application/xml' : 'text/plain';
}

/** The bytes as UTF-8 text, or null when they hold control characters or are no UTF-8 (a cut character at the end is forgiven). */
function decodeText(head: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });

    return head.length > 0 && !/[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text) ? text : null;
  } catch {
    return null;
  }
}
