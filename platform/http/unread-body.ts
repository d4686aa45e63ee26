import type { IncomingMessage, ServerResponse } from 'node:http';

/** What is still read and thrown away after the answer, so that the client gets to see it: time and bytes. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 16 * 1024 * 1024;
/** Often enough that a client on the same machine, with a gigabyte a second, stays near the limit. */
const CHECK_MS = 10;

/**
 * Deals with a body that is still arriving when the answer is out. Closing at once would reset the connection and often
 * destroy the answer on its way; reading on without end would let a client send for as long as it likes. Node
 * itself would read such a body to its end.
 */
export function lingerUnread(request: IncomingMessage, response: ServerResponse): void {
  response.once('finish', () => {
    const { socket } = request;
    if (request.complete || socket.destroyed) return;
    request.unpipe();
    request.resume();
    const bytesBefore = socket.bytesRead;
    const endsAt = performance.now() + LINGER_MS;
    const stop = (): void => {
      clearInterval(timer);
      socket.off('close', stop);
    };
    const timer = setInterval(() => {
      if (request.complete) return stop();
      if (performance.now() > endsAt || socket.bytesRead - bytesBefore > LINGER_BYTES) socket.destroy();
    }, CHECK_MS);
    // A connection that is kept carries many such requests.
    socket.once('close', stop);
  });
}
