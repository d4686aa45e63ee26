import type { IncomingMessage, ServerResponse } from 'node:http';

/** What is still read and thrown away after the answer, so that the client gets to see it: time and bytes. */
const LINGER_MS = 2_000;
const LINGER_BYTES = 16 * 1024 * 1024;

/**
 * Deals with a body that is still arriving when the answer is out. Closing at once would reset the connection and often
 * destroy the answer on its way; reading on without end would let a client send for as long as it likes.
 */
export function lingerUnread(request: IncomingMessage, response: ServerResponse): void {
  response.once('finish', () => {
    if (request.complete || request.destroyed) return;
    let sizeBytes = 0;
    const timer = setTimeout(() => request.destroy(), LINGER_MS);
    request.once('close', () => clearTimeout(timer));
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes > LINGER_BYTES) request.destroy();
    });
    request.resume();
  });
}
