import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ApolloServer } from '@apollo/server';
import { createConnections, type Connections } from './connections/connections';
import type { Caller } from './execute/execution';
import { TransportCache } from './fetch/transport-cache';
import { graphiqlPage } from './explorer/graphiql';
import { CALLBACK_PATH, Callbacks } from './fetch/subscriptions/callbacks';
import { createGeneration, type CurrentGeneration, type Generation } from './generation';
import { Generations } from './generations';
import { startApolloServer } from './http/apollo';
import { DEVELOPMENT_ORIGINS, originPolicy } from './http/cors';
import { createContentTypes } from './http/content-types';
import { answerGraphql, type GraphqlEndpoint } from './http/graphql';
import { callbackPage } from './http/callback';
import { createHandler, urlOf, type Page } from './http/handler';
import { healthPage, readyPage } from './http/health';
import { createHttpServer, listen } from './http/listen';
import { renewPage } from './http/streams/renew';
import { createStreams } from './http/streams/streams';
import { metricsPage } from './metrics/metrics';
import { DEFAULT_GATEWAY_LIMITS, type GatewayLimits, type GatewayOptions } from './options';
import { clientSource } from './http/source';
import { createOperations } from './operations/operations';
import { Slots } from './slots';
import { createCallMerger } from './subscriptions/merging/transports';
import type { SubscriptionCounts } from './subscriptions/counts';
import { DEFAULT_SUBSCRIPTION_SETTINGS } from './subscriptions/settings';
import { createSubscriptions, type Subscriptions } from './subscriptions/subscriptions';
import { refusingVoid, watchAccess, type AccessWatch } from './viewer/access-watch';
import { createIdentification } from './viewer/identification';
import { createSocketServer, type SocketServer } from './websocket/server';

const GRAPHQL_PATH = '/graphql';

/** A running gateway. */
export interface Gateway {
  /** Answers one HTTP request; for hosts with a server of their own. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Takes over an HTTP connection that asked for a WebSocket; those that a subgraph in this process has a route for become its own. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Opens a port (0: any free one) with its own server; rejects with the system's error, e.g. EADDRINUSE. */
  listen(port: number, host?: string): Promise<{ server: Server; address: AddressInfo; url: string }>;
  /** What happened to subscriptions since the start. */
  readonly subscriptions: Readonly<SubscriptionCounts>;
  /** Serves another supergraph from now on. Rejects when it cannot be served; then the one before stays. */
  update(supergraphSdl: string): Promise<void>;
  /** Stops accepting, finishes what is in flight within the grace, closes sockets with 1001, then the transports. */
  stop(): Promise<void>;
}

/** Builds a gateway from its parts. Throws when the supergraph cannot be read or a subgraph has no address. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { development, logger, introspection = options.development, plugins = [] } = options;
  const { metrics = development } = options;
  const limits: GatewayLimits = { ...DEFAULT_GATEWAY_LIMITS, ...options.limits };
  const callbacks = options.callback && new Callbacks(options.callback);
  const transports = { cache: new TransportCache(), callbacks };
  const subscriptions = createSubscriptions({
    settings: { ...DEFAULT_SUBSCRIPTION_SETTINGS, ...options.subscriptions },
    limits,
    merge: createCallMerger({ cacheSize: limits.planCacheSize }),
    logger,
  });
  const create = (sdl: string): Promise<Generation> => createGeneration(sdl, options, limits, transports);
  const generation = await create(options.supergraphSdl);
  const generations = new Generations(generation, {
    create,
    took(next) {
      apollo.update(next);
      return subscriptions.moveTo(next);
    },
    logger,
  });
  const current: CurrentGeneration = () => generations.current;
  const contentTypes = createContentTypes();
  const apollo = await startApolloServer({
    generation,
    contentTypes,
    limits,
    development,
    introspection,
    logger,
    plugins,
  });

  const { corsOrigins = [], cookieSessions = false } = options;
  const origins = originPolicy(
    [...corsOrigins, ...(development ? DEVELOPMENT_ORIGINS : [])],
    cookieSessions ? corsOrigins : undefined,
  );
  const operations = createOperations(current, subscriptions, logger);
  const access = watchAccess({ accessChanges: options.accessChanges, logger });
  const authenticate = options.authenticate && refusingVoid(options.authenticate, access);
  const identification = createIdentification({
    authenticate,
    source: clientSource(options.trustedProxies ?? []),
    origins,
    cookieSessions,
    needsFacts: options.rateLimits !== undefined || (options.clientFactsFor ?? []).length > 0,
  });
  const connections = createConnections({ authenticate, access, limits });
  const sockets = createSocketServer({
    path: GRAPHQL_PATH,
    operations,
    connections,
    authenticate,
    identification,
    origins,
    limits,
    logger,
  });
  const running: Running = { servers: new Set(), isStopping: false, inFlight: new Slots() };
  const endpoint: GraphqlEndpoint = {
    apollo: apollo.server,
    current,
    contentTypes,
    hasRequestPlugins: plugins.some((plugin) => plugin.requestDidStart !== undefined),
    identification,
    access,
    limits,
    streams: createStreams({ operations, connections, current, contentTypes, origins, limits }),
  };
  const answer: Page = (request, response, url, requestId) =>
    answerGraphql(endpoint, request, response, url, requestId);
  const own = [...(options.subgraphs?.values() ?? [])];
  const handler = createHandler({
    pages: pagesOf(
      answer,
      readyPage(current, () => running.isStopping),
      renewPage({ connections, identification, origins, limits }),
      development,
      callbacks && callbackPage(callbacks, limits),
      metrics ? metricsPage({ subscriptions, connections, access }) : undefined,
    ),
    byteRoutes: own.flatMap((subgraph) => subgraph.byteRoutes),
    origins,
    identification,
    logger,
  });
  const handle = (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    track(running, response);
    return handler(request, response);
  };
  const socketRoutes = own.flatMap((subgraph) => subgraph.socketRoutes);
  const handleUpgrade: Gateway['handleUpgrade'] = (request, socket, head) => {
    identification.enter(request);
    const url = running.isStopping || !origins.isAllowed(request) ? null : urlOf(request);
    if (url && socketRoutes.some((route) => route(request, socket, head, url))) return;
    sockets.handleUpgrade(request, socket, head);
  };
  let stopped: Promise<void> | undefined;
  return {
    handle,
    handleUpgrade,
    subscriptions: subscriptions.counts,
    update: (supergraphSdl) => generations.update(supergraphSdl),
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
    stop: () => {
      generations.halt();
      return (stopped ??= stop(running, {
        access,
        connections,
        sockets,
        subscriptions,
        apollo: apollo.server,
        generations,
        closeRoutes: () => Promise.all(own.map((subgraph) => subgraph.closeRoutes())),
        graceMs: limits.stopGraceMs,
      }));
    },
  };
}

function pagesOf(
  graphql: Page,
  ready: Page,
  renew: Page,
  development: boolean,
  callback: Page | undefined,
  metrics: Page | undefined,
): Map<string, { methods: readonly string[]; answer: Page }> {
  const toGraphql: Page = (_request, response) =>
    void response.writeHead(302, { location: GRAPHQL_PATH, 'content-length': 0 }).end();
  return new Map([
    [GRAPHQL_PATH, { methods: ['GET', 'POST', 'PUT', 'DELETE'], answer: graphql }],
    [`${GRAPHQL_PATH}/renew`, { methods: ['POST'], answer: renew }],
    ['/', { methods: ['GET', 'HEAD'], answer: toGraphql }],
    ['/health', { methods: ['GET', 'HEAD'], answer: healthPage }],
    ['/ready', { methods: ['GET', 'HEAD'], answer: ready }],
    ...(callback ? [[CALLBACK_PATH, { methods: ['POST'], answer: callback }] as const] : []),
    ...(metrics ? [['/metrics', { methods: ['GET', 'HEAD'], answer: metrics }] as const] : []),
    ...(development ? [['/graphiql', { methods: ['GET', 'HEAD'], answer: graphiqlPage(GRAPHQL_PATH) }] as const] : []),
  ]);
}

interface Running {
  servers: Set<Server>;
  isStopping: boolean;
  /** Answers that are not out yet. */
  inFlight: Slots<ServerResponse>;
}

function track(running: Running, response: ServerResponse): void {
  const leave = running.inFlight.enter(response);
  response.once('close', leave);
  // A connection that stays open would be used for another request.
  if (running.isStopping) response.setHeader('connection', 'close');
}

async function stop(
  running: Running,
  parts: {
    access: AccessWatch;
    connections: Connections;
    sockets: SocketServer;
    subscriptions: Subscriptions;
    apollo: ApolloServer<Caller>;
    generations: Generations;
    closeRoutes: () => Promise<unknown>;
    graceMs: number;
  },
): Promise<void> {
  running.isStopping = true;
  const closing = [...running.servers].map((server) => new Promise((resolve) => server.close(resolve)));
  for (const server of running.servers) server.closeIdleConnections();
  for (const response of running.inFlight.items()) if (!response.headersSent) response.setHeader('connection', 'close');
  await Promise.all([
    finishInFlight(running, parts.graceMs),
    parts.sockets.stop(parts.graceMs),
    parts.connections[Symbol.asyncDispose](),
    parts.closeRoutes(),
  ]);
  await parts.access[Symbol.asyncDispose]();
  parts.subscriptions.close();
  for (const server of running.servers) server.closeAllConnections();
  await Promise.all(closing);
  await parts.apollo.stop();
  await parts.generations.end();
}

/** Waits until every answer is out; after the grace the connections of the late ones are cut. */
async function finishInFlight({ inFlight }: Running, graceMs: number): Promise<void> {
  const cut = setTimeout(() => inFlight.items().forEach((response) => response.destroy()), graceMs);
  await Promise.all(inFlight.items().map((response) => new Promise((resolve) => response.once('close', resolve))));
  clearTimeout(cut);
}
