import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { TOO_MANY_CONNECTIONS } from '../connections/places';
import type { OriginPolicy } from '../http/cors';
import { hasAccessToken } from '../http/token-in-url';

export interface Refusal {
  status: string;
  code: string;
  message: string;
}

/** Why an HTTP connection does not become a WebSocket; undefined when it may. */
export function refusalOf(
  request: IncomingMessage,
  { path, origins }: { path: string; origins: OriginPolicy },
  { isStopping, isFull }: { isStopping: boolean; isFull: boolean },
): Refusal | undefined {
  if (!origins.isAllowed(request))
    return { status: '403 Forbidden', code: 'FORBIDDEN', message: 'This origin may not open a WebSocket here.' };
  const unavailable = '503 Service Unavailable';
  if (isStopping) return { status: unavailable, code: 'STOPPING', message: 'This gateway is stopping.' };
  const [pathname, search] = (request.url ?? '').split('?', 2);
  if (pathname !== path)
    return { status: '404 Not Found', code: 'NOT_FOUND', message: `WebSockets are served at ${path}.` };
  if (request.headers.upgrade?.toLowerCase() !== 'websocket')
    return { status: '400 Bad Request', code: 'BAD_REQUEST', message: 'The only upgrade is to WebSocket.' };
  if (hasAccessToken(new URLSearchParams(search), { mayNameStream: false })) {
    const message = 'A token does not belong in a URL: send it as authorization in the payload of connection_init.';
    return { status: '400 Bad Request', code: 'BAD_REQUEST', message };
  }
  if (isFull) return { status: unavailable, code: 'OVERLOADED', message: TOO_MANY_CONNECTIONS };
  return undefined;
}

/** Answers a refused upgrade in JSON and closes the connection. */
export function refuse(socket: Duplex, { status, code, message }: Refusal): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
