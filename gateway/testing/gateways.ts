import { deriveCallKey, signCallIdentity } from '../../platform/identity/call-identity';
import { silentLogger } from '../../platform/logger';
import { serveSubgraph } from '../../platform/subgraph/serve';
import type { GatewayOptions } from '../options';
import { createGateway, type Gateway } from '../server';
import { Shop, shopSubgraphs, shopSupergraph, SHOP_NAMES, type ShopName } from './shop';

/** How the gateway under test reaches its subgraphs. */
export type Mode = 'in process' | 'over HTTP';
export const MODES: readonly Mode[] = ['in process', 'over HTTP'];

const SECRET = 'a secret that only tests know, of decent length';

export interface RunningShop extends AsyncDisposable {
  shop: Shop;
  gateway: Gateway;
  supergraphSdl: string;
  url: string;
  webSocketUrl: string;
  /** Stops one subgraph, cutting its connections; over HTTP only. */
  kill(name: ShopName): Promise<void>;
}

/** A gateway over a shop of its own on a free port. */
export async function aRunningShop(mode: Mode, options: Partial<GatewayOptions> = {}): Promise<RunningShop> {
  const shop = new Shop();
  const subgraphs = shopSubgraphs(shop);
  const served = new Map<ShopName, { port: number } & AsyncDisposable>();
  if (mode === 'over HTTP') {
    for (const name of SHOP_NAMES) {
      const subgraph = subgraphs.get(name)!;
      served.set(
        name,
        await serveSubgraph({
          subgraph,
          callKey: deriveCallKey(SECRET, name),
          host: '127.0.0.1',
          port: 0,
          logger: silentLogger,
        }),
      );
    }
  }
  const urls = Object.fromEntries([...served].map(([name, { port }]) => [name, `http://127.0.0.1:${port}/graphql`]));
  const supergraphSdl = shopSupergraph(urls);
  const gateway = await createGateway({
    supergraphSdl,
    ...(mode === 'in process'
      ? { subgraphs }
      : { signCall: (name, identity, body) => signCallIdentity(deriveCallKey(SECRET, name), name, identity, body) }),
    logger: silentLogger,
    development: true,
    ...options,
  });
  const { address } = await gateway.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${address.port}/graphql`;
  return {
    shop,
    supergraphSdl,
    gateway,
    url,
    webSocketUrl: url.replace('http', 'ws'),
    async kill(name) {
      await served.get(name)?.[Symbol.asyncDispose]();
      served.delete(name);
    },
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      for (const server of served.values()) await server[Symbol.asyncDispose]();
    },
  };
}

/** A gateway whose `accounts` is somebody else's server; the rest of the shop runs in process. Port 0: any free one. */
export async function withAccounts(
  url: string,
  options: Partial<GatewayOptions> = {},
  port = 0,
): Promise<{ url: string } & AsyncDisposable> {
  const subgraphs = shopSubgraphs(new Shop());
  subgraphs.delete('accounts');
  const gateway = await createGateway({
    supergraphSdl: shopSupergraph({ accounts: url }),
    subgraphs,
    logger: silentLogger,
    development: true,
    ...options,
  });
  const { address } = await gateway.listen(port, '127.0.0.1');
  return { url: `http://127.0.0.1:${address.port}/graphql`, [Symbol.asyncDispose]: () => gateway.stop() };
}

export interface Answer {
  data?: Record<string, unknown> | null;
  errors?: {
    message: string;
    path?: (string | number)[];
    extensions: { code: string; requestId?: string };
    locations?: unknown;
  }[];
}

/** Sends one operation as JSON. */
export async function post(
  url: string,
  query: string,
  variables?: Record<string, unknown>,
  init: { headers?: Record<string, string>; operationName?: string; signal?: AbortSignal } = {},
): Promise<Answer & { status: number }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...init.headers },
    body: JSON.stringify({ query, variables, operationName: init.operationName }),
    ...(init.signal ? { signal: init.signal } : {}),
  });
  return { status: response.status, ...((await response.json()) as Answer) };
}
