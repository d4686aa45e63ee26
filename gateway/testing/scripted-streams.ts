import { promisify } from 'node:util';
import type { GraphQLError } from 'graphql';
import { silentLogger } from '../../platform/logger';
import { waitFor } from '../../platform/testing/wait';
import { createConnections, type Connections } from '../connections/connections';
import { TransportCache } from '../fetch/transport-cache';
import { createGeneration, type Generation } from '../generation';
import { startApolloServer, type RunningApollo } from '../http/apollo';
import { createContentTypes, type ContentTypes } from '../http/content-types';
import { originPolicy } from '../http/cors';
import { answerGraphql } from '../http/graphql';
import { createHandler, type Page } from '../http/handler';
import { createHttpServer, listen } from '../http/listen';
import { plainIdentification } from './identification';
import { renewPage } from '../http/streams/renew';
import { createStreams } from '../http/streams/streams';
import type { Asker, Leaving, OperationPayload, Operations } from '../operations/operations';
import type { Outlet } from '../operations/outlet';
import { DEFAULT_GATEWAY_LIMITS, type GatewayOptions } from '../options';
import { refusingVoid, watchAccess } from '../viewer/access-watch';
import { Shop, shopSubgraphs, shopSupergraph } from './shop';

/** An operation that does what the test says. */
export interface ScriptedOperation {
  payload: OperationPayload;
  asker: Asker;
  outlet: Outlet;
  left: Leaving[];
  renewed: Asker[];
}

export interface ScriptedStreams extends AsyncDisposable {
  url: string;
  connections: Connections;
  /** Those started so far. */
  operations: ScriptedOperation[];
  /** The one with this number, as soon as it has started. */
  operation(index: number): Promise<ScriptedOperation>;
  /** Connections open at the server. */
  sockets(): Promise<number>;
  /** What operations are refused with from now on. */
  refusal: GraphQLError[] | undefined;
  /** While it is pending, operations that were asked for are not running yet. */
  hold: Promise<void> | undefined;
}

/** What takes a while to start, and serves any number of scripted streams. */
export interface ScriptedParts extends AsyncDisposable {
  generation: Generation;
  apollo: RunningApollo;
  contentTypes: ContentTypes;
}

export async function scriptedParts(): Promise<ScriptedParts> {
  const common = { logger: silentLogger, development: false, introspection: false };
  const subgraphs = shopSubgraphs(new Shop());
  const limits = DEFAULT_GATEWAY_LIMITS;
  const sdl = shopSupergraph();
  const shared = { cache: new TransportCache(), callbacks: undefined };
  const generation = await createGeneration(sdl, { ...common, supergraphSdl: sdl, subgraphs }, limits, shared);
  const contentTypes = createContentTypes();
  const apollo = await startApolloServer({ ...common, generation, contentTypes, limits, plugins: [] });
  return {
    generation,
    apollo,
    contentTypes,
    async [Symbol.asyncDispose]() {
      await apollo.server.stop();
      await generation.end();
    },
  };
}

/** The HTTP side of a gateway on a free port, whose operations send what a test says. */
export async function scriptedStreams(
  { generation, apollo, contentTypes }: ScriptedParts,
  options: Partial<GatewayOptions> & { heartbeatMs?: number } = {},
): Promise<ScriptedStreams> {
  const limits = { ...DEFAULT_GATEWAY_LIMITS, ...options.limits };
  const { accessChanges, heartbeatMs } = options;
  const access = watchAccess({ accessChanges, logger: silentLogger });
  const authenticate = options.authenticate && refusingVoid(options.authenticate, access);
  const connections = createConnections({ authenticate, access, limits });
  const origins = originPolicy([]);
  const identification = plainIdentification(authenticate);
  const scripted: ScriptedOperation[] = [];
  const operations: Operations = {
    async start(payload, asker, outlet) {
      if (running.refusal) return running.refusal;
      const operation: ScriptedOperation = { payload, asker, outlet, left: [], renewed: [] };
      scripted.push(operation);
      await running.hold;
      return {
        isSubscription: payload.query.startsWith('subscription'),
        leave: (how) => operation.left.push(how),
        renew: (renewed) => operation.renewed.push(renewed),
      };
    },
  };
  const current = () => generation;
  const streams = createStreams({
    operations,
    connections,
    current,
    contentTypes,
    origins,
    limits,
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
  });
  const endpoint = {
    apollo: apollo.server,
    current,
    contentTypes,
    hasRequestPlugins: false,
    identification,
    access,
    limits,
    streams,
  };
  const answer: Page = (request, response, url, id) => answerGraphql(endpoint, request, response, url, id);
  const pages = new Map([
    ['/graphql', { methods: ['GET', 'POST', 'PUT', 'DELETE'], answer }],
    ['/graphql/renew', { methods: ['POST'], answer: renewPage({ connections, identification, origins, limits }) }],
  ]);
  const request = createHandler({ pages, byteRoutes: [], origins, identification, logger: silentLogger });
  const server = createHttpServer({ request, upgrade: (_request, socket) => socket.destroy() });
  const { port } = await listen(server, 0, '127.0.0.1');
  const running: ScriptedStreams = {
    url: `http://127.0.0.1:${port}/graphql`,
    connections,
    operations: scripted,
    operation: (index) => waitFor(`operation ${index}`, () => scripted[index]),
    sockets: () => promisify<number>((done) => server.getConnections(done))(),
    refusal: undefined,
    hold: undefined,
    async [Symbol.asyncDispose]() {
      await connections[Symbol.asyncDispose]();
      await access[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return running;
}
