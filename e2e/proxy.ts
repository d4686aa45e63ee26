import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Proxy extends AsyncDisposable {
  /** The target's URL by way of the proxy. */
  readonly url: string;
  /** Cuts every connection and refuses new ones, as a server that went away does. Answers how many it cut. */
  cut(): number;
  restore(): void;
}

/**
 * A TCP proxy in front of a server, so that a test can take it away from one side only. `url` names host and port; a function
 * that answers it is asked for each connection, for a server that is started later.
 */
export async function startProxy(url: string | (() => string)): Promise<Proxy> {
  const targetOf = (): URL => new URL(typeof url === 'string' ? url : url());
  const clients = new Set<Socket>();
  let open = true;
  const server = createServer((client) => {
    if (!open) return client.destroy();
    const target = targetOf();
    const upstream = connect(Number(target.port), target.hostname);
    clients.add(client);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        clients.delete(client);
        to.destroy();
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxied = new URL(typeof url === 'string' ? url : 'http://proxy');
  proxied.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cutAll = (): number => {
    const { size } = clients;
    clients.forEach((client) => client.destroy());
    return size;
  };
  return {
    url: proxied.href,
    cut() {
      open = false;
      return cutAll();
    },
    restore: () => void (open = true),
    async [Symbol.asyncDispose]() {
      cutAll();
      server.close();
      await once(server, 'close');
    },
  };
}
