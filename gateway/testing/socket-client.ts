import { WebSocket } from 'ws';
import { waitFor } from '../../platform/testing/wait';

export interface Message {
  type: string;
  id?: string;
  payload?: unknown;
}

export interface RawSocket {
  socket: WebSocket;
  messages: Message[];
  send(message: unknown): void;
  /** Resolves when a message of this type (and id) is there. */
  receive(type: string, id?: string): Promise<Message>;
  closed: Promise<{ code: number; reason: string }>;
}

/** A bare graphql-transport-ws client that can also say what no client should. */
export async function aRawSocket(
  url: string,
  options: { protocol?: string | null; headers?: Record<string, string>; init?: unknown; autoPong?: boolean } = {},
): Promise<RawSocket> {
  const protocol = options.protocol === undefined ? 'graphql-transport-ws' : options.protocol;
  const socket = new WebSocket(url, protocol === null ? [] : [protocol], {
    headers: options.headers ?? {},
    autoPong: options.autoPong ?? true,
  });
  const messages: Message[] = [];
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString('utf8')) as Message));
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') })),
  );
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => {});
  const raw: RawSocket = {
    socket,
    messages,
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    receive: (type, id) =>
      waitFor(`a message ${type}`, () =>
        messages.find((message) => message.type === type && (id === undefined || message.id === id)),
      ),
    closed,
  };
  if ('init' in options) {
    raw.send({ type: 'connection_init', ...(options.init ? { payload: options.init } : {}) });
    await raw.receive('connection_ack');
  }
  return raw;
}

/** The payloads of `next` messages of one operation. */
export function resultsOf(
  raw: RawSocket,
  id: string,
): {
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: unknown; extensions: { code: string } }[];
}[] {
  return raw.messages
    .filter((message) => message.type === 'next' && message.id === id)
    .map((message) => message.payload as never);
}
