import type { Duplex } from 'node:stream';

/** The part of Node's handle under a socket that is read here. */
interface Handle {
  /** Bytes handed over so far. */
  bytesWritten?: unknown;
  /** Of these, the bytes that the operating system has not taken yet. */
  writeQueueSize?: unknown;
}

/**
 * How many bytes of what was written to a connection the operating system has taken. While some wait here, it takes more
 * only when the peer has taken some: so this grows for a peer that reads, however little, and stands still for one that
 * does not. Node's own socket timeouts see the progress of one large write in the same way (`writeQueueSize` in
 * `Socket.prototype._onTimeout`, https://github.com/nodejs/node/blob/v20.x/lib/net.js). Where there is no such handle,
 * whole writes count: those that are done. 0 when nothing is known.
 */
export function takenBytes(connection: Duplex | null | undefined): number {
  if (!connection) return 0;
  const { bytesWritten, writeQueueSize } = (connection as { _handle?: Handle | null })._handle ?? {};
  if (typeof bytesWritten === 'number' && typeof writeQueueSize === 'number') return bytesWritten - writeQueueSize;
  const { bytesWritten: given } = connection as { bytesWritten?: unknown };
  return typeof given === 'number' ? given - connection.writableLength : 0;
}
