import type { WebSocket } from 'ws';

/** Bytes waiting in the socket beyond which nothing more is sent, and nothing more is read that would cause answers. */
const MAX_BUFFERED_BYTES = 256 * 1024;

/** A socket as graphql-ws' protocol server wants it. */
export interface ProtocolSocket {
  protocol: string;
  send(data: string): Promise<void>;
  close(code?: number, reason?: string): void;
  onMessage(listener: (data: string) => Promise<void>): void;
}

/**
 * Connects a WebSocket to the protocol server. `send` resolves when the bytes have left the process, so a stream that
 * awaits it takes its next event only when the client has room: nothing queues up here for a client that does not read.
 * A client that keeps sending what must be answered (pings) without reading the answers is not read either.
 */
export function protocolSocket(socket: WebSocket, onFailure: (error: unknown) => void): ProtocolSocket {
  return {
    protocol: socket.protocol,
    send: (data) =>
      new Promise((resolve) => {
        if (socket.readyState !== socket.OPEN) return resolve();
        socket.send(data, () => {
          if (socket.isPaused && socket.bufferedAmount < MAX_BUFFERED_BYTES) socket.resume();
          resolve();
        });
      }),
    // A close reason has at most 123 bytes (RFC 6455 §5.5).
    close: (code, reason) => socket.close(code, reason?.slice(0, 100)),
    onMessage(listener) {
      socket.on('message', (data: Buffer) => {
        if (socket.bufferedAmount > MAX_BUFFERED_BYTES) socket.pause();
        listener(data.toString('utf8')).catch(onFailure);
      });
    },
  };
}
