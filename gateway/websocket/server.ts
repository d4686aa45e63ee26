import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError, type ExecutionResult } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type ServerOptions } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import { SautiError } from '../../platform/errors';
import { keepAlive } from '../../platform/http/keep-alive';
import type { VerifiedToken } from '../../platform/identity/access-token';
import type { Viewer } from '../../platform/identity/viewer';
import type { Logger } from '../../platform/logger';
import type { Payload } from '../execute/execute-incrementally';
import type { Answer } from '../execute/execution';
import { formatErrors } from '../http/format-error';
import { HEADER_VALUE } from '../fetch/header-rules';
import type { OriginPolicy } from '../http/cors';
import type { Authenticate, GatewayLimits } from '../options';
import { protocolSocket } from './connection';
import { formatPayload, type SocketOperations } from './operations';

/** The longest time a Node timer can wait; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Ping interval; a peer that does not answer is gone after two. */
const KEEP_ALIVE_MS = 12_000;

export interface SocketServerOptions {
  path: string;
  operations: SocketOperations;
  authenticate: Authenticate | undefined;
  origins: OriginPolicy;
  limits: GatewayLimits;
  logger: Logger;
}

export interface SocketServer {
  /** Makes a WebSocket of an HTTP connection, or answers why not. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Refuses new sockets and closes the open ones with 1001; those still there after `graceMs` are cut. */
  stop(graceMs: number): Promise<void>;
}

/** What one socket carries between messages. */
interface Connection {
  socket: WebSocket;
  viewer: Viewer | null;
  authorization: string | undefined;
  /** Of the upgrade: what may be forwarded to subgraphs. */
  headers: IncomingHttpHeaders;
  closed: AbortController;
}

/** graphql-transport-ws (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md) for every kind of operation. */
export function createSocketServer(options: SocketServerOptions): SocketServer {
  const { limits, logger } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxMessageBytes,
    perMessageDeflate: false,
    handleProtocols,
  });
  const protocol = makeServer<Record<string, unknown>, Connection>(protocolOptions(options));
  let isStopping = false;

  const open = (socket: WebSocket, { headers }: IncomingMessage): void => {
    const connection: Connection = {
      socket,
      viewer: null,
      authorization: undefined,
      headers,
      closed: new AbortController(),
    };
    const onFailure = (error: unknown): void => {
      logger.error({ error }, 'a WebSocket message failed');
      socket.close(CloseCode.InternalServerError, 'Internal server error');
    };
    const closed = protocol.opened(protocolSocket(socket, onFailure), connection);
    // Protocol violations of the client arrive here; ws has already closed the socket with the right code.
    socket.on('error', (error) => logger.debug({ error }, 'a WebSocket broke the protocol'));
    keepAlive(socket, KEEP_ALIVE_MS);
    socket.once('close', (code, reason) => {
      connection.closed.abort(new Error('The client closed the socket.'));
      closed(code, reason.toString('utf8')).catch((error: unknown) =>
        logger.error({ error }, 'closing a WebSocket failed'),
      );
    });
  };
  return {
    handleUpgrade(request, socket, head) {
      socket.on('error', () => socket.destroy());
      const refusal = refusalOf(request, options, isStopping);
      if (refusal) return refuse(socket, refusal);
      sockets.handleUpgrade(request, socket, head, open);
    },
    async stop(graceMs) {
      isStopping = true;
      for (const socket of sockets.clients) socket.close(1001, 'Going away');
      const cut = setTimeout(() => sockets.clients.forEach((socket) => socket.terminate()), graceMs);
      await Promise.all([...sockets.clients].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
      clearTimeout(cut);
    },
  };
}

function protocolOptions({
  operations,
  authenticate,
  limits,
}: SocketServerOptions): ServerOptions<Record<string, unknown>, Connection> {
  return {
    connectionInitWaitTimeout: limits.connectionInitMs,
    async onConnect({ extra, connectionParams }) {
      const given = Object.entries(connectionParams ?? {}).find(
        ([name]) => name.toLowerCase() === 'authorization',
      )?.[1];
      if (given === undefined || given === null || given === '') return true;
      try {
        extra.authorization = withScheme(given);
        const token = await authenticate?.(extra.authorization);
        if (token) admit(extra, token);
        return true;
      } catch (error) {
        if (!(error instanceof SautiError)) throw error;
        const isRefused = error.code === 'UNAUTHENTICATED';
        extra.socket.close(
          isRefused ? CloseCode.Forbidden : CloseCode.InternalServerError,
          error.message.slice(0, 100),
        );
        return false;
      }
    },
    onSubscribe({ extra, subscriptions }, _id, payload) {
      // The one under way is already counted among them.
      if (Object.keys(subscriptions).length > limits.maxOperationsPerSocket) {
        return [
          new GraphQLError(`At most ${limits.maxOperationsPerSocket} operations may be open on one socket.`, {
            extensions: { code: 'TOO_MANY_OPERATIONS' },
          }),
        ];
      }
      return operations.prepare(payload, {
        identity: { viewer: extra.viewer, requestId: randomUUID() },
        authorization: extra.authorization,
        headers: extra.headers,
        signal: extra.closed.signal,
      });
    },
    // graphql-ws expects results of graphql-js; ours are turned into them by `onNext`.
    execute: (args) => operations.run(args) as AsyncGenerator<ExecutionResult>,
    subscribe: (args) => operations.run(args) as AsyncGenerator<ExecutionResult>,
    onNext: (_ctx, _id, _payload, _args, result) => formatPayload(result as Answer | Payload),
    onError: (_ctx, _id, _payload, errors) => formatErrors(errors),
  };
}

/** The socket speaks for the viewer for as long as the token would be taken on a new one, then it is closed. */
function admit(connection: Connection, { viewer, endsAt }: VerifiedToken): void {
  const { socket, closed } = connection;
  connection.viewer = viewer;
  if (closed.signal.aborted) return;
  const timer = setTimeout(
    () => socket.close(CloseCode.Forbidden, 'Access token expired'),
    Math.min(endsAt.getTime() - Date.now(), MAX_TIMER_MS),
  );
  timer.unref();
  closed.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
}

/** Clients write the token with or without the scheme. */
function withScheme(authorization: unknown): string {
  if (typeof authorization !== 'string')
    throw new SautiError('UNAUTHENTICATED', 'The authorization in connection_init must be a string.');
  if (!HEADER_VALUE.test(authorization))
    throw new SautiError('UNAUTHENTICATED', 'The authorization in connection_init cannot be that of a header.');
  return /\s/.test(authorization.trim()) ? authorization : `Bearer ${authorization.trim()}`;
}

interface Refusal {
  status: string;
  code: string;
  message: string;
}

function refusalOf(
  request: IncomingMessage,
  { path, origins }: SocketServerOptions,
  isStopping: boolean,
): Refusal | undefined {
  if ((request.url ?? '').split('?')[0] !== path)
    return { status: '404 Not Found', code: 'NOT_FOUND', message: `WebSockets are served at ${path}.` };
  if (request.headers.upgrade?.toLowerCase() !== 'websocket')
    return { status: '400 Bad Request', code: 'BAD_REQUEST', message: 'The only upgrade is to WebSocket.' };
  if (!origins.isAllowed(request))
    return { status: '403 Forbidden', code: 'FORBIDDEN', message: 'This origin may not open a WebSocket here.' };
  return isStopping
    ? { status: '503 Service Unavailable', code: 'STOPPING', message: 'This gateway is stopping.' }
    : undefined;
}

function refuse(socket: Duplex, { status, code, message }: Refusal): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
