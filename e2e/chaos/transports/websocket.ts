import { on, once } from 'node:events';
import { WebSocket } from 'ws';
import { StreamClosed, StreamRefused, type StreamFrame, type StreamTransport } from './transport';

const HANDSHAKE_MS = 10_000;

interface Message {
  type: string;
  payload?: unknown;
}

/** graphql-transport-ws, one socket for each stream. The cursor travels as `extensions.cursor` of the subscribe message. */
export const webSocketStream: StreamTransport = async function* (request, signal) {
  const socket = new WebSocket(request.endpoint.replace(/^http/, 'ws'), 'graphql-transport-ws', {
    handshakeTimeout: HANDSHAKE_MS,
    perMessageDeflate: false,
  });
  let ending = new StreamClosed(null, 'before it was open');
  socket.once('close', (code, reason) => (ending = new StreamClosed(code, reason.toString())));
  try {
    const messages = on(socket, 'message', { signal, close: ['close'] });
    await once(socket, 'open', { signal });
    const send = (message: object): void => socket.send(JSON.stringify(message));
    send({ type: 'connection_init', payload: { authorization: `Bearer ${request.token}` } });
    for await (const [data] of messages as AsyncIterable<[Buffer]>) {
      const message = JSON.parse(data.toString()) as Message;
      if (message.type === 'connection_ack') send({ id: '1', type: 'subscribe', payload: subscribePayload(request) });
      else if (message.type === 'ping') send({ type: 'pong' });
      else if (message.type === 'next') yield message.payload as StreamFrame;
      else if (message.type === 'error') throw new StreamRefused(JSON.stringify(message.payload));
      else if (message.type === 'complete') return;
    }
    throw ending;
  } finally {
    socket.on('error', () => undefined);
    socket.terminate();
  }
};

function subscribePayload({ query, variables, cursor }: Parameters<StreamTransport>[0]): object {
  return { query, variables, ...(cursor === undefined ? {} : { extensions: { cursor } }) };
}
