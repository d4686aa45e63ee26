import { WebSocketServer } from 'ws';
import type { SocketRoute } from '../subgraph/subgraph';

/** A subgraph's part that owns the WebSockets at `/echo`: each message is answered with itself. */
export function echoSockets(): { socketRoutes: readonly SocketRoute[]; closeRoutes: () => Promise<void> } {
  const server = new WebSocketServer({ noServer: true });
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => socket.send(data.toString('utf8')));
  });
  return {
    socketRoutes: [
      (request, socket, head, url) => {
        if (url.pathname !== '/echo') return false;
        server.handleUpgrade(request, socket, head, (accepted) => server.emit('connection', accepted, request));
        return true;
      },
    ],
    closeRoutes: async () => {
      for (const socket of server.clients) socket.close(1001);
    },
  };
}
