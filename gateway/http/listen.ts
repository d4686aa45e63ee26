import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** Time for the request head; a slow sender of headers (slowloris) is gone after it. */
const HEADERS_MS = 15_000;
const KEEP_ALIVE_MS = 15_000;
/** How often Node looks for connections that are over these times. */
const CHECK_INTERVAL_MS = 2_500;

/**
 * An HTTP server with the gateway's time limits. There is none for a whole request, because an upload may take as long
 * as it needs: each body has its own idle limit.
 */
export function createHttpServer(handlers: {
  request: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}): Server {
  const server = createServer(
    {
      headersTimeout: HEADERS_MS,
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    (request, response) => void handlers.request(request, response),
  );
  server.on('upgrade', handlers.upgrade);
  server.on('clientError', answerClientError);
  return server;
}

/** Starts listening; rejects with an `EADDRINUSE` and the like. Port 0 picks a free one. */
export async function listen(server: Server, port: number, host: string | undefined): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return server.address() as AddressInfo;
}

/** What Node's parser refuses never becomes a request; it is answered in JSON all the same. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const body = JSON.stringify({
    errors: [{ message: `${STATUS_CODES[status]}.`, extensions: { code: 'BAD_REQUEST' } }],
  });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
