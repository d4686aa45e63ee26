import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

export interface SocketMessage {
  type: string;
  id?: string;
  payload?: { query?: string } & Record<string, unknown>;
}

export interface SocketSubgraph extends AsyncDisposable {
  /** Its URL for queries, which it does not answer; that for subscriptions is derived from it. */
  url: string;
  /** All sockets there ever were. */
  sockets: WebSocket[];
  upgrades: IncomingMessage[];
  /** Everything that was received. */
  messages: SocketMessage[];
  /** Sends to the newest socket: a message, or text that is none. */
  send(message: object | string): void;
}

/**
 * A subgraph that speaks graphql-transport-ws as badly as a test wants. `answer` may answer a message and say so; what it
 * does not answer is: `connection_init` with `connection_ack`, nothing else.
 */
export async function aSocketSubgraph(
  answer: (socket: WebSocket, message: SocketMessage) => boolean | void = () => {},
): Promise<SocketSubgraph> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'graphql-transport-ws' });
  await new Promise((resolve) => server.once('listening', resolve));
  const subgraph: SocketSubgraph = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    sockets: [],
    upgrades: [],
    messages: [],
    send: (message) => subgraph.sockets.at(-1)!.send(typeof message === 'string' ? message : JSON.stringify(message)),
    async [Symbol.asyncDispose]() {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on('connection', (socket, request) => {
    subgraph.sockets.push(socket);
    subgraph.upgrades.push(request);
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as SocketMessage;
      subgraph.messages.push(message);
      if (!answer(socket, message) && message.type === 'connection_init') socket.send('{"type":"connection_ack"}');
    });
  });
  return subgraph;
}
