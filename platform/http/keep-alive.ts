import type { WebSocket } from 'ws';

/**
 * Ends an open socket whose peer is gone: nothing arrived within one interval after a ping, neither the pong nor anything
 * else. Stops when the socket closes. With `pausedIsAlive` nothing is expected while this side itself does not read,
 * because then the pong lies unread among the rest; the pings that still go out tell the peer that this side lives.
 * `onGone` is called just before the socket is ended.
 */
export function keepAlive(
  socket: WebSocket,
  intervalMs: number,
  options: { pausedIsAlive?: boolean; onGone?: () => void } = {},
): void {
  let isAlive = true;
  const timer = setInterval(() => {
    const isExcused = options.pausedIsAlive === true && socket.isPaused;
    if (!isAlive && !isExcused) {
      options.onGone?.();
      return socket.terminate();
    }
    isAlive = isExcused;
    socket.ping();
  }, intervalMs);
  for (const sign of ['pong', 'ping', 'message']) socket.on(sign, () => (isAlive = true));
  socket.once('close', () => clearInterval(timer));
}
