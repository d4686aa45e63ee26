import { postStream } from './post';
import { StreamClosed, StreamRefused, type StreamFrame, type StreamTransport } from './transport';

const ACCEPT = 'multipart/mixed;subscriptionSpec=1.0, application/json';

/** Apollo's multipart subscription protocol: each part is `{}` (a heartbeat) or `{ payload, errors? }`. */
export const multipartStream: StreamTransport = async function* (request, signal) {
  const { contentType, text } = await postStream(request, ACCEPT, signal);
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1] ?? '-';
  for await (const part of readParts(text, boundary)) {
    if (part === null) return;
    const { payload, errors } = JSON.parse(part) as { payload?: StreamFrame | null; errors?: StreamFrame['errors'] };
    if (errors) throw new StreamRefused(JSON.stringify(errors));
    if (payload) yield payload;
  }
  throw new StreamClosed(null, 'the multipart body ended without its last boundary');
};

/**
 * The content of each part (RFC 2046 §5.1.1) as soon as the delimiter behind it has arrived, or as much of it as is a
 * whole JSON text; null for the closing delimiter.
 */
export async function* readParts(
  text: AsyncIterable<string>,
  boundary: string,
): AsyncGenerator<string | null, void, void> {
  const delimiter = `\r\n--${boundary}`;
  let pending = '\r\n';
  for await (const chunk of text) {
    pending += chunk;
    for (;;) {
      const part = cutPart(pending, delimiter);
      if (!part) break;
      pending = part.rest;
      if (part.content !== '') yield part.content;
    }
    if (pending.startsWith(`${delimiter}--`)) return yield null;
  }
}

/**
 * A server sends a delimiter with the next part at the latest. Those that send it at once are served at once; for the
 * others a content that ends in `}` and parses is taken as whole.
 */
function cutPart(pending: string, delimiter: string): { content: string; rest: string } | null {
  const start = pending.indexOf(delimiter);
  const body = pending.indexOf('\r\n\r\n', start);
  if (start < 0 || body < 0 || pending.startsWith('--', start + delimiter.length)) return null;
  const end = pending.indexOf(delimiter, body + 2);
  const content = (end < 0 ? pending.slice(body) : pending.slice(body, end)).trim();
  if (end < 0 && !isJson(content)) return null;
  return { content, rest: end < 0 ? '' : pending.slice(end) };
}

function isJson(text: string): boolean {
  if (!text.endsWith('}')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
