import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { OriginPolicy } from '../http/cors';

export interface Refusal {
  status: string;
  code: string;
  message: string;
}

/** Names under which a token is known to travel in URLs (RFC 6750 §2.3, and what clients make up). */
const TOKEN_NAMES = new Set(['access_token', 'authorization', 'token']);

/** Why an HTTP connection does not become a WebSocket; undefined when it may. */
export function refusalOf(
  request: IncomingMessage,
  { path, origins }: { path: string; origins: OriginPolicy },
  isStopping: boolean,
): Refusal | undefined {
  const [pathname, search] = (request.url ?? '').split('?', 2);
  if (pathname !== path)
    return { status: '404 Not Found', code: 'NOT_FOUND', message: `WebSockets are served at ${path}.` };
  if (request.headers.upgrade?.toLowerCase() !== 'websocket')
    return { status: '400 Bad Request', code: 'BAD_REQUEST', message: 'The only upgrade is to WebSocket.' };
  if (!origins.isAllowed(request))
    return { status: '403 Forbidden', code: 'FORBIDDEN', message: 'This origin may not open a WebSocket here.' };
  // URLs end up in logs and histories (RFC 9700 §2.4).
  if ([...new URLSearchParams(search).keys()].some((name) => TOKEN_NAMES.has(name.toLowerCase()))) {
    const message = 'A token does not belong in a URL: send it as authorization in the payload of connection_init.';
    return { status: '400 Bad Request', code: 'BAD_REQUEST', message };
  }
  return isStopping
    ? { status: '503 Service Unavailable', code: 'STOPPING', message: 'This gateway is stopping.' }
    : undefined;
}

/** Answers a refused upgrade in JSON and closes the connection. */
export function refuse(socket: Duplex, { status, code, message }: Refusal): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
