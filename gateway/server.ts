import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ApolloServer } from '@apollo/server';
import { createDocuments } from './documents/documents';
import { createEngine, type Engine } from './engine';
import { limitRules } from './limits';
import { socketRules } from './websocket/single-root-field';
import type { Caller } from './execute/execution';
import { graphiqlPage } from './explorer/graphiql';
import { createTransports } from './fetch/transports';
import type { Transport } from './fetch/transport';
import { createApolloServer } from './http/apollo';
import { DEVELOPMENT_ORIGINS, originPolicy } from './http/cors';
import { createContentTypes } from './http/content-types';
import { answerGraphql } from './http/graphql';
import { createHandler, type Page } from './http/handler';
import { healthPage, readyPage } from './http/health';
import { createHttpServer, listen } from './http/listen';
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits, type GatewayOptions } from './options';
import { loadSupergraph } from './supergraph/supergraph';
import { createSocketOperations } from './websocket/operations';
import { createSocketServer, type SocketServer } from './websocket/server';

const GRAPHQL_PATH = '/graphql';

/** A running gateway. */
export interface Gateway {
  /** Answers one HTTP request; for hosts with a server of their own. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Takes over an HTTP connection that asked for a WebSocket. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Opens a port (0: any free one) with its own server; rejects with the system's error, e.g. EADDRINUSE. */
  listen(port: number, host?: string): Promise<{ server: Server; address: AddressInfo; url: string }>;
  /** Serves another supergraph from now on. Rejects when it cannot be served; then the one before stays. */
  update(supergraphSdl: string): Promise<void>;
  /** Stops accepting, finishes what is in flight within the grace, closes sockets with 1001, then the transports. */
  stop(): Promise<void>;
}

/** Builds a gateway from its parts. Throws when the supergraph cannot be read or a subgraph has no address. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { development, logger, introspection = options.development } = options;
  const limits: GatewayLimits = { ...DEFAULT_GATEWAY_LIMITS, ...options.limits };
  const supergraph = await loadSupergraph(options.supergraphSdl, { defer: true });
  const transports = await orDispose(supergraph, () => createTransports(supergraph, options, limits));
  const engine = createEngine({ supergraph, transports, logger, ...limits });
  const documents = createDocuments({
    schema: supergraph.apiSchema,
    rules: [...socketRules, ...limitRules(limits, { introspection })],
    limits,
    suggestions: development,
    cacheSize: limits.planCacheSize,
  });
  const contentTypes = createContentTypes();
  const apollo = createApolloServer({ supergraph, engine, documents, limits, development, introspection, logger });
  await apollo.start();

  const origins = originPolicy([...(options.corsOrigins ?? []), ...(development ? DEVELOPMENT_ORIGINS : [])]);
  const operations = createSocketOperations({ schema: supergraph.apiSchema, engine, documents });
  const sockets = createSocketServer({
    path: GRAPHQL_PATH,
    operations,
    authenticate: options.authenticate,
    origins,
    limits,
    logger,
  });
  const running: Running = { servers: new Set(), isStopping: false, inFlight: new Set() };
  const answer: Page = (request, response, url, requestId) =>
    answerGraphql(
      {
        apollo,
        engine,
        documents,
        schema: supergraph.apiSchema,
        authenticate: options.authenticate,
        limits,
        contentTypes,
      },
      request,
      response,
      url,
      requestId,
    );
  const handler = createHandler({
    pages: pagesOf(
      answer,
      readyPage(transports, () => running.isStopping),
      development,
    ),
    byteRoutes: [...(options.subgraphs?.values() ?? [])].flatMap((subgraph) => subgraph.byteRoutes),
    origins,
    logger,
  });
  const handle = (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    track(running, response);
    return handler(request, response);
  };
  const handleUpgrade: Gateway['handleUpgrade'] = (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head);
  let stopped: Promise<void> | undefined;
  return {
    handle,
    handleUpgrade,
    async update() {
      throw new Error('A running gateway cannot change its supergraph yet.');
    },
    async listen(port, host) {
      const server = createHttpServer({ request: handle, upgrade: handleUpgrade });
      const address = await listen(server, port, host);
      running.servers.add(server);
      return {
        server,
        address,
        url: `http://${address.family === 'IPv6' ? 'localhost' : address.address}:${address.port}`,
      };
    },
    stop: () => (stopped ??= stop(running, { sockets, apollo, engine, transports, graceMs: limits.stopGraceMs })),
  };
}

function pagesOf(
  graphql: Page,
  ready: Page,
  development: boolean,
): Map<string, { methods: readonly string[]; answer: Page }> {
  const toGraphql: Page = (_request, response) =>
    void response.writeHead(302, { location: GRAPHQL_PATH, 'content-length': 0 }).end();
  return new Map([
    [GRAPHQL_PATH, { methods: ['GET', 'POST'], answer: graphql }],
    ['/', { methods: ['GET', 'HEAD'], answer: toGraphql }],
    ['/health', { methods: ['GET', 'HEAD'], answer: healthPage }],
    ['/ready', { methods: ['GET', 'HEAD'], answer: ready }],
    ...(development ? [['/graphiql', { methods: ['GET', 'HEAD'], answer: graphiqlPage(GRAPHQL_PATH) }] as const] : []),
  ]);
}

/** What `make` gives; when it throws, nobody else will dispose of the resource. */
async function orDispose<Made>(resource: AsyncDisposable, make: () => Made): Promise<Made> {
  try {
    return make();
  } catch (error) {
    await resource[Symbol.asyncDispose]();
    throw error;
  }
}

interface Running {
  servers: Set<Server>;
  isStopping: boolean;
  /** Answers that are not out yet. */
  inFlight: Set<ServerResponse>;
}

function track(running: Running, response: ServerResponse): void {
  running.inFlight.add(response);
  response.once('close', () => running.inFlight.delete(response));
  // A connection that stays open would be used for another request.
  if (running.isStopping) response.setHeader('connection', 'close');
}

async function stop(
  running: Running,
  parts: {
    sockets: SocketServer;
    apollo: ApolloServer<Caller>;
    engine: Engine;
    transports: ReadonlyMap<string, Transport>;
    graceMs: number;
  },
): Promise<void> {
  running.isStopping = true;
  const closing = [...running.servers].map((server) => new Promise((resolve) => server.close(resolve)));
  for (const server of running.servers) server.closeIdleConnections();
  for (const response of running.inFlight) if (!response.headersSent) response.setHeader('connection', 'close');
  await Promise.all([finishInFlight(running, parts.graceMs), parts.sockets.stop(parts.graceMs)]);
  for (const server of running.servers) server.closeAllConnections();
  await Promise.all(closing);
  await parts.apollo.stop();
  await parts.engine[Symbol.asyncDispose]();
  await Promise.all([...parts.transports.values()].map((transport) => transport.dispose()));
}

/** Waits until every answer is out; after the grace the connections of the late ones are cut. */
async function finishInFlight({ inFlight }: Running, graceMs: number): Promise<void> {
  const cut = setTimeout(() => inFlight.forEach((response) => response.destroy()), graceMs);
  await Promise.all([...inFlight].map((response) => new Promise((resolve) => response.once('close', resolve))));
  clearTimeout(cut);
}
