import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { GraphQLError, GraphQLSchema, parse, type ExecutionResult } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer, type WebSocket } from 'ws';

type Result = { data?: unknown; errors?: unknown[]; extensions?: Record<string, unknown> };
type Stream = AsyncGenerator<Result, void, void>;
/** Answers a subscription that continues behind `after` of the log, or from its beginning; the socket is there to be cut. */
export type Answer = (after: number, socket: WebSocket) => Stream | Result | GraphQLError;

export interface Peer extends AsyncDisposable {
  url: string;
  /** What each subscription asked for, in the order in which they came. */
  readonly asked: { extensions?: Record<string, unknown> }[];
  /** How many subscriptions are open. */
  readonly open: number;
  answer: Answer;
  /** Tokens that are accepted; any other one closes the socket with 4403. */
  tokens: Set<string>;
  /** Closes the port and every socket, as a process that is killed does. */
  stop(): Promise<void>;
  /** Listens on the same port again. */
  restart(): Promise<void>;
}

/** A server of the protocol that has no gateway behind it: it keeps no state but its log, and does what a test tells it. */
export async function startPeer(answer: Answer): Promise<Peer> {
  let sockets = await listen(0);
  let open = 0;
  const { port } = sockets.address() as AddressInfo;
  const peer = {
    url: `ws://127.0.0.1:${port}`,
    asked: [] as { extensions?: Record<string, unknown> }[],
    get open() {
      return open;
    },
    answer,
    tokens: new Set(['first']),
    async stop() {
      sockets.clients.forEach((socket) => socket.terminate());
      sockets.close();
      await once(sockets, 'close');
    },
    async restart() {
      sockets = await listen(port);
      serve();
    },
    [Symbol.asyncDispose]: () => peer.stop(),
  };
  const serve = (): void => {
    useServer<{ authorization?: string }>(
      {
        onConnect: ({ connectionParams }) =>
          peer.tokens.has(connectionParams?.authorization?.replace('Bearer ', '') ?? ''),
        onSubscribe: ({ extra }, _id, payload) => {
          peer.asked.push(payload as { extensions?: Record<string, unknown> });
          const answered = peer.answer(positionOf(payload.extensions?.['cursor']), extra.socket);
          if (answered instanceof GraphQLError) return [answered];
          return { schema: NO_SCHEMA, document: parse(payload.query), contextValue: counted(answered) };
        },
        subscribe: (args) => args.contextValue as AsyncGenerator<ExecutionResult, void, void>,
        onNext: (_context, _id, _payload, _args, result) => result,
      },
      sockets,
    );
  };
  async function* counted(answered: Stream | Result): Stream {
    open++;
    try {
      if (Symbol.asyncIterator in answered) yield* answered;
      else yield answered;
    } finally {
      open--;
    }
  }
  serve();
  return peer;
}

/** The events of the log behind a position, each with its cursor. */
export async function* log(after: number, upTo: number): Stream {
  for (let n = after + 1; n <= upTo; n++) yield { data: { count: n }, extensions: { cursor: `at ${n}` } };
}

const NO_SCHEMA = new GraphQLSchema({});

/** Refuses what is no cursor of its own. */
function positionOf(cursor: unknown): number {
  if (cursor === undefined) return 0;
  const position = /^at (\d+)$/.exec(cursor as string)?.[1];
  if (position === undefined) throw new Error(`This is no cursor: ${JSON.stringify(cursor)}`);
  return Number(position);
}

async function listen(port: number): Promise<WebSocketServer> {
  const sockets = new WebSocketServer({ port, host: '127.0.0.1' });
  await once(sockets, 'listening');
  return sockets;
}
