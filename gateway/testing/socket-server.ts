import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GraphQLError } from 'graphql';
import { silentLogger, type Logger } from '../../platform/logger';
import { createConnections, type Connections } from '../connections/connections';
import { originPolicy } from '../http/cors';
import type { Outlet } from '../operations/outlet';
import type { Asker, Leaving, OperationPayload, Operations } from '../operations/operations';
import { DEFAULT_GATEWAY_LIMITS, type Authenticate, type AccessChanges, type GatewayLimits } from '../options';
import { refusingVoid, watchAccess } from '../viewer/access-watch';
import { plainIdentification } from './identification';
import { createSocketServer } from '../websocket/server';

/** An operation as whoever runs operations sees it. */
export interface Started {
  payload: OperationPayload;
  asker: Asker;
  outlet: Outlet;
  left: Leaving[];
  renewed: Asker[];
}

export interface ServedSockets extends AsyncDisposable {
  url: string;
  port: number;
  connections: Connections;
  /** What clients have started, in order. */
  started: Started[];
  stop(graceMs: number): Promise<void>;
}

/** WebSockets of the gateway whose operations are in the hands of the test. `planned` delays their start, or refuses them. */
export async function servedSockets(
  options: {
    authenticate?: Authenticate;
    accessChanges?: AccessChanges;
    limits?: Partial<GatewayLimits>;
    logger?: Logger;
    planned?: Promise<GraphQLError[] | void>;
  } = {},
): Promise<ServedSockets> {
  const { accessChanges, logger = silentLogger } = options;
  const access = watchAccess({ accessChanges, logger });
  const authenticate = options.authenticate && refusingVoid(options.authenticate, access);
  const limits = { ...DEFAULT_GATEWAY_LIMITS, ...options.limits };
  const connections = createConnections({ authenticate, access, limits });
  const started: Started[] = [];
  const operations: Operations = {
    async start(payload, asker, outlet) {
      const one: Started = { payload, asker, outlet, left: [], renewed: [] };
      started.push(one);
      const refusal = await options.planned;
      if (refusal) return refusal;
      return {
        isSubscription: payload.query.startsWith('subscription'),
        leave: (how) => void one.left.push(how),
        renew: (renewed) => void one.renewed.push(renewed),
      };
    },
  };
  const path = '/graphql';
  const sockets = createSocketServer({
    path,
    operations,
    connections,
    authenticate,
    identification: plainIdentification(authenticate),
    origins: originPolicy([]),
    limits,
    logger,
  });
  const server = createServer().on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = (graceMs: number): Promise<void> => sockets.stop(graceMs);
  return {
    url: `ws://127.0.0.1:${port}${path}`,
    port,
    connections,
    started,
    stop,
    async [Symbol.asyncDispose]() {
      await stop(500);
      await connections[Symbol.asyncDispose]();
      await access[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
