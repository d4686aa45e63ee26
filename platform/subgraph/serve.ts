import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GraphQLSchema, parse, type ExecutionResult, type GraphQLError } from 'graphql';
import { processRequest } from 'graphql-upload-minimal';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer, type WebSocket } from 'ws';
import { keepAlive } from '../http/keep-alive';
import { readBody } from '../http/read-body';
import { lingerUnread } from '../http/unread-body';
import { isSignedCall, MULTIPART_BODY, SOCKET_BODY, verifyCallIdentity } from '../identity/call-identity';
import type { CallIdentity } from '../identity/viewer';
import type { Logger } from '../logger';
import type { Subgraph, SubgraphRequest, SubgraphResult } from './subgraph';

/** Fetches carry representations, so they are longer than what a client may send to the gateway. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Time for the request head. */
const HEADERS_MS = 15_000;
/** Longest pause between two pieces of a JSON body, unless the options say otherwise. */
const BODY_IDLE_MS = 15_000;
/** Ping interval; a caller of whom nothing arrives in two is gone. Several times the gateway's, whose pings count. */
const KEEP_ALIVE_MS = 30_000;

export interface ServeOptions {
  subgraph: Subgraph;
  /** From `deriveCallKey`; whoever cannot sign with it gets 401 and learns nothing. */
  callKey: Buffer;
  host: string;
  /** 0 picks a free port. */
  port: number;
  /** Longest pause between two pieces of a JSON body; then the connection is cut. Default 15 s. */
  bodyIdleMs?: number;
  logger: Logger;
}

/**
 * Puts a subgraph behind HTTP (`POST /graphql`, JSON or GraphQL multipart), graphql-transport-ws on the same path,
 * `/health`, `/ready` and its byte and socket routes. Every GraphQL call must carry an identity signed by the gateway; without one
 * there is no answer at all: no `_service`, no introspection, no `_entities`.
 */
export async function serveSubgraph(options: ServeOptions): Promise<{ port: number } & AsyncDisposable> {
  // An upload may take as long as it needs; Node's limit of five minutes for a whole request would cut it off.
  const server = createServer(
    { requestTimeout: 0, headersTimeout: HEADERS_MS },
    (request, response) => void handle(options, request, response),
  );
  const sockets = serveWebSocket(options, server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await options.subgraph.closeRoutes();
      for (const socket of sockets.clients) socket.close(1001, 'Going away');
      server.closeIdleConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function handle(options: ServeOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    lingerUnread(request, response);
    const url = urlOf(request);
    if (!url) return reply(response, 400, failure('BAD_REQUEST', 'The request target is not a path.'));
    if (url.pathname === '/health') return reply(response, 200, { status: 'ok' });
    if (url.pathname === '/ready') return await answerReady(options, response);
    if (options.subgraph.byteRoutes.some((route) => route(request, response, url))) return;
    if (url.pathname !== '/graphql')
      return reply(response, 404, failure('NOT_FOUND', 'There is nothing at this path.'));
    if (request.method !== 'POST')
      return reply(response, 405, failure('BAD_REQUEST', 'Send GraphQL requests with POST.'));
    await answerOperation(options, request, response);
  } catch (error) {
    options.logger.error({ error, path: urlOf(request)?.pathname }, 'a request failed');
    if (!response.headersSent) reply(response, 500, failure('INTERNAL', 'Something went wrong on our side.'));
    else response.destroy();
  }
}

function urlOf(request: IncomingMessage): URL | null {
  const target = request.url ?? '/';
  return target.startsWith('/') && URL.canParse(target, 'http://subgraph') ? new URL(target, 'http://subgraph') : null;
}

async function answerReady({ subgraph }: ServeOptions, response: ServerResponse): Promise<void> {
  try {
    await subgraph.ready();
    reply(response, 200, { status: 'ready' });
  } catch {
    reply(response, 503, { status: 'not ready' });
  }
}

async function answerOperation(
  options: ServeOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const received = await receive(options, request, response);
  if (received === 'unproven')
    return reply(response, 401, failure('UNAUTHENTICATED', 'This subgraph answers its gateway only.'));
  if (received === 'malformed')
    return reply(response, 400, failure('BAD_REQUEST', 'The body is not a GraphQL request.'));
  const left = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) left.abort(new Error('The gateway closed the connection.'));
  });
  const result = await options.subgraph.execute(received.operation, {
    identity: received.identity,
    signal: left.signal,
  });
  reply(response, 200, result);
}

type Received = { operation: SubgraphRequest; identity: CallIdentity } | 'unproven' | 'malformed';

async function receive(options: ServeOptions, request: IncomingMessage, response: ServerResponse): Promise<Received> {
  const identify = (body: string) =>
    verifyCallIdentity(options.callKey, options.subgraph.name, request.headers.authorization, body);
  if (request.headers['content-type']?.startsWith('multipart/form-data')) {
    // Checked before the first byte is read: nobody but the gateway gets as far as the multipart parser.
    const identity = identify(MULTIPART_BODY);
    if (!identity) return 'unproven';
    // No size limit here: this parser would cut a longer file silently. The rule that stores the bytes counts them.
    const limits = { maxFieldSize: MAX_BODY_BYTES, maxFileSize: Infinity, maxFiles: 10 };
    const operation = asOperation(await processRequest(request, response, limits).catch(() => null));
    return operation ? { operation, identity } : 'malformed';
  }
  if (!isSignedCall(options.callKey, options.subgraph.name, request.headers.authorization)) return 'unproven';
  const body = await readBody(request, { maxBytes: MAX_BODY_BYTES, idleMs: options.bodyIdleMs ?? BODY_IDLE_MS });
  if (body === null) return 'malformed';
  const identity = identify(body);
  if (!identity) return 'unproven';
  try {
    const operation = asOperation(JSON.parse(body));
    return operation ? { operation, identity } : 'malformed';
  } catch {
    return 'malformed';
  }
}

function asOperation(value: unknown): SubgraphRequest | null {
  if (typeof value !== 'object' || value === null) return null;
  const { query, variables, operationName } = value as Record<string, unknown>;
  if (typeof query !== 'string') return null;
  return {
    query,
    variables: typeof variables === 'object' && variables !== null ? (variables as Record<string, unknown>) : undefined,
    operationName: typeof operationName === 'string' ? operationName : undefined,
  };
}

/**
 * Subscriptions between processes. The signed identity comes in `connection_init`: one socket serves one viewer, for many
 * requests, each of which says in its extensions which it is.
 */
function serveWebSocket(options: ServeOptions, server: Server): WebSocketServer {
  const { subgraph, callKey, logger } = options;
  const sockets = new WebSocketServer({
    // Not `server`: the socket server would then report that server's failure to listen as its own.
    noServer: true,
    path: '/graphql',
    maxPayload: MAX_BODY_BYTES,
    perMessageDeflate: false,
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy()); // Node.js has taken its own listener away
    const url = urlOf(request);
    if (url && subgraph.socketRoutes.some((route) => route(request, socket, head, url))) return;
    if (!sockets.shouldHandle(request)) return socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    sockets.handleUpgrade(request, socket, head, (accepted) => sockets.emit('connection', accepted, request));
  });
  const identities = new WeakMap<WebSocket, CallIdentity>();
  sockets.on('connection', (socket) => {
    socket.on('error', (error) => logger.warn({ error }, 'a subgraph socket failed'));
    keepAlive(socket, KEEP_ALIVE_MS);
  });
  useServer<{ authorization?: string }>(
    {
      onConnect: ({ connectionParams, extra }) => {
        const identity = verifyCallIdentity(callKey, subgraph.name, connectionParams?.authorization, SOCKET_BODY);
        if (identity) identities.set(extra.socket, identity);
        return identity !== null;
      },
      onSubscribe: ({ extra }, _id, payload) => {
        const known = identities.get(extra.socket)!;
        const identity = { ...known, requestId: requestIdIn(payload.extensions) ?? known.requestId };
        const contextValue: Stream = { request: payload as SubgraphRequest, identity };
        try {
          // graphql-ws looks only at the operation's type; the subgraph itself validates and runs the request.
          return {
            schema: NO_SCHEMA,
            document: parse(payload.query),
            operationName: payload.operationName,
            contextValue,
          };
        } catch (error) {
          return [error as GraphQLError];
        }
      },
      subscribe: (args) => {
        // Ends by `return()`, which graphql-ws calls on `complete` and when the socket closes.
        const { request, identity } = args.contextValue as Stream;
        return subgraph.subscribe(request, { identity, signal: new AbortController().signal }) as AsyncGenerator<
          ExecutionResult,
          void,
          void
        >;
      },
      // Results of a subgraph are formatted already; graphql-ws would call `toJSON` on their errors.
      onNext: (_context, _id, _payload, _args, result) => result,
    },
    sockets,
    NO_KEEP_ALIVE,
  );
  return sockets;
}

/**
 * Switches graphql-ws' own pings off: they demand a pong from a gateway that does not read for a while because its client
 * is slow. `keepAlive` also takes the gateway's own pings for life.
 */
const NO_KEEP_ALIVE = 0;

/** graphql-ws requires a schema in its arguments, and hands it to nobody but `subscribe` above. */
const NO_SCHEMA = new GraphQLSchema({});

function requestIdIn(extensions: Record<string, unknown> | null | undefined): string | null {
  const requestId = extensions?.['requestId'];
  return typeof requestId === 'string' ? requestId : null;
}

interface Stream {
  request: SubgraphRequest;
  identity: CallIdentity;
}

function failure(code: string, message: string): SubgraphResult {
  return { errors: [{ message, extensions: { code } }] };
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
