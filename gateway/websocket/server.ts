import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL, handleProtocols } from 'graphql-ws';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import type { OriginPolicy } from '../http/cors';
import { HttpError } from '../http/responses';
import type { GatewayLimits } from '../options';
import type { Identification, SocketIdentity } from '../viewer/identification';
import { Wheel } from '../wheel';
import { forwardable } from '../fetch/header-rules';
import { ClientSocket, type SocketServices } from './client-socket';
import { CloseCode } from './close-code';
import { refusalOf, refuse } from './upgrade';

/** Between two pings to one client, in milliseconds; one that does not answer is gone after two. */
const KEEP_ALIVE_MS = 12_000;
/** Clients take turns, so that ten thousand of them are not pinged in one go. */
const KEEP_ALIVE_STEPS = 12;
/** Time a client has to answer a close frame, in milliseconds; then its connection is cut. */
const CLOSE_MS = 5_000;
/** Time a client has to take the news that the grace is over, in milliseconds. */
const FAREWELL_MS = 500;
/** Fragments of one message, and pieces in which one of its frames may arrive: `ws` keeps each with some overhead. */
const MAX_FRAGMENTS = 1_024;
const MAX_CHUNKS = 4_096;

export interface SocketServerOptions extends SocketServices {
  path: string;
  origins: OriginPolicy;
  identification: Identification;
  limits: GatewayLimits;
}

export interface SocketServer {
  /** Makes a WebSocket of an HTTP connection, or answers why not. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * Refuses new sockets, tells the open ones where to go on, and closes each with 1001 when its queries and mutations are
   * answered, or after `graceMs`; cuts those that do not close soon after that.
   */
  stop(graceMs: number): Promise<void>;
}

/** graphql-transport-ws for every kind of operation. */
export function createSocketServer(options: SocketServerOptions): SocketServer {
  const { connections, limits, logger } = options;
  const settings: ServerOptions & { closeTimeout: number; maxFragments: number; maxBufferedChunks: number } = {
    noServer: true,
    clientTracking: false,
    maxPayload: limits.maxMessageBytes,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_CHUNKS,
    perMessageDeflate: false,
    closeTimeout: CLOSE_MS,
    handleProtocols,
  };
  const server = new WebSocketServer(settings);
  const keepAlive = new Wheel<ClientSocket>({
    steps: KEEP_ALIVE_STEPS,
    stepMs: KEEP_ALIVE_MS / KEEP_ALIVE_STEPS,
    visit: (client) => client.checkAlive(),
  });
  /** Each with what ends its keep-alive. */
  const clients = new Map<ClientSocket, () => void>();
  let isStopping = false;
  let emptied = (): void => {};
  const shared: Shared = {
    closed(client, code) {
      client.closed(code);
      clients.get(client)?.();
      clients.delete(client);
      connections.places.giveBack();
      if (clients.size === 0) emptied();
    },
    // `ws` has closed the socket with the right code already.
    broke: (error) => logger.debug({ error }, 'a WebSocket broke the protocol'),
  };

  const open = (socket: WebSocket, request: IncomingMessage, opener: SocketIdentity): void => {
    const client = new ClientSocket(socket, request.socket, forwardable(request.headers), opener, options);
    clients.set(client, keepAlive.add(client));
    connections.places.take();
    listen(socket, client, shared);
    if (socket.protocol !== GRAPHQL_TRANSPORT_WS_PROTOCOL)
      client.close(CloseCode.SubprotocolNotAcceptable, 'Subprotocol not acceptable');
  };
  return {
    handleUpgrade(request, socket, head) {
      socket.on('error', destroy);
      const refusal = refusalOf(request, options, { isStopping, isFull: connections.places.isFull });
      if (refusal) return refuse(socket, refusal);
      try {
        const opener = options.identification.identifySocket(request);
        server.handleUpgrade(request, socket, head, (accepted) => open(accepted, request, opener));
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        refuse(socket, { ...error, status: `${error.status} ${STATUS_CODES[error.status]}`, message: error.message });
      }
    },
    async stop(graceMs) {
      isStopping = true;
      for (const client of clients.keys()) client.goAway();
      let cut = setTimeout(() => {
        for (const client of clients.keys()) client.close(CloseCode.GoingAway, 'Going away');
        cut = setTimeout(() => clients.forEach((_, client) => client.terminate()), FAREWELL_MS);
      }, graceMs);
      if (clients.size > 0) await new Promise<void>((resolve) => (emptied = resolve));
      clearTimeout(cut);
    },
  };
}

/** What the listeners of all sockets share. */
interface Shared {
  closed(client: ClientSocket, code: number): void;
  broke(error: Error): void;
}

const CLIENT = Symbol('client');
const SHARED = Symbol('shared');
/** The listeners find their client at the socket: no socket has functions of its own. */
type Linked = WebSocket & { [CLIENT]: ClientSocket; [SHARED]: Shared };

function listen(socket: WebSocket, client: ClientSocket, shared: Shared): void {
  Object.assign(socket, { [CLIENT]: client, [SHARED]: shared });
  socket.on('message', onMessage);
  socket.on('ping', onControl);
  socket.on('pong', onControl);
  socket.on('error', onError);
  socket.on('close', onClose);
}

function onMessage(this: WebSocket, data: unknown): void {
  // `binaryType` is that of `ws`: messages are Buffers.
  (this as Linked)[CLIENT].receive(data as Buffer);
}

function onControl(this: WebSocket): void {
  (this as Linked)[CLIENT].receiveControl();
}

function onError(this: WebSocket, error: Error): void {
  (this as Linked)[SHARED].broke(error);
}

function onClose(this: WebSocket, code: number): void {
  (this as Linked)[SHARED].closed((this as Linked)[CLIENT], code);
}

function destroy(this: Duplex): void {
  this.destroy();
}
