import { buildSchema } from 'graphql';
import type { AddressInfo } from 'node:net';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { deriveCallKey, signCallIdentity } from '../../../platform/identity/call-identity';
import type { Viewer } from '../../../platform/identity/viewer';
import { silentLogger } from '../../../platform/logger';
import { buildSubgraph } from '../../../platform/subgraph/build-subgraph';
import type { SubgraphCallOptions } from '../../../platform/subgraph/subgraph';
import { serveSubgraph } from '../../../platform/subgraph/serve';
import { waitFor } from '../../../platform/testing/wait';
import { aSocketSubgraph } from '../../testing/socket-subgraph';
import { aCall, aTransport } from '../../testing/transport';
import { subgraphOperation, type SubgraphAnswer, type SubgraphCall } from '../transport';
import { DEFAULT_UPSTREAM_SETTINGS, type UpstreamSettings } from '../upstream-settings';

function subscription(options: Partial<SubgraphCall> = {}, text = 'subscription { n }'): SubgraphCall {
  return aCall({ operation: subgraphOperation(text, undefined, 'subscription'), ...options });
}

async function all(events: AsyncGenerator<SubgraphAnswer>): Promise<unknown[]> {
  const data: unknown[] = [];
  for await (const event of events) data.push(event.data);
  return data;
}

/** A subgraph as graphql-ws serves it, whose subscriptions go on when `go` is called. */
async function aGraphqlWsSubgraph() {
  let go = (): void => {};
  const started = new Promise<void>((resolve) => (go = resolve));
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => sockets.once('listening', resolve));
  const counts = { sockets: 0, subscriptions: 0 };
  sockets.on('connection', () => counts.sockets++);
  const schema = buildSchema('type Query { n: Int } type Subscription { n(id: Int): Int }');
  async function* n({ id }: { id?: number }) {
    counts.subscriptions++;
    await started;
    for (let count = 0; count < 3; count++) yield { n: (id ?? 0) * 10 + count };
  }
  const server = useServer({ schema, roots: { subscription: { n } } }, sockets);
  return {
    url: `http://127.0.0.1:${(sockets.address() as AddressInfo).port}/graphql`,
    counts,
    go,
    clients: sockets.clients,
    [Symbol.asyncDispose]: async () => void (await server.dispose()),
  };
}

test('fifty subscriptions of one caller share a socket, and each gets its own events in order', async () => {
  await using subgraph = await aGraphqlWsSubgraph();
  await using transport = aTransport(subgraph.url);
  const streams = Array.from({ length: 50 }, (_, id) =>
    all(transport.subscribe(subscription({}, `subscription { n(id: ${id}) }`))),
  );
  await waitFor('all subscriptions', () => subgraph.counts.subscriptions === 50);
  subgraph.go();
  const events = await Promise.all(streams);
  expect(events).toEqual(events.map((_, id) => [0, 1, 2].map((count) => ({ n: id * 10 + count }))));
  expect(subgraph.counts.sockets).toBe(1);
});

test('callers whose forwarded headers differ have sockets of their own', async () => {
  await using subgraph = await aGraphqlWsSubgraph();
  await using transport = aTransport(subgraph.url, { headers: { forward: ['authorization', 'x-tenant'], set: {} } });
  subgraph.go();
  const callers = [
    { authorization: 'Bearer a' },
    { authorization: 'Bearer b' },
    { authorization: 'Bearer a', headers: { 'x-tenant': 't' } },
    { authorization: 'Bearer a', headers: { 'x-other': 'o' } },
  ];
  await Promise.all(callers.map((caller) => all(transport.subscribe(subscription(caller)))));
  expect(subgraph.counts).toEqual({ sockets: 3, subscriptions: 4 });
});

test('a socket outlives its last subscription for a while, and takes the next one', async () => {
  await using subgraph = await aGraphqlWsSubgraph();
  await using transport = aTransport(subgraph.url);
  subgraph.go();
  await all(transport.subscribe(subscription()));
  await all(transport.subscribe(subscription()));
  expect(subgraph.counts).toEqual({ sockets: 1, subscriptions: 2 });
  await waitFor('the end of the socket', () => subgraph.clients.size === 0);
  expect(await all(transport.subscribe(subscription()))).toHaveLength(3);
  expect(subgraph.counts.sockets).toBe(2);
});

test('what is open when the transport is disposed ends with an error', async () => {
  await using subgraph = await aGraphqlWsSubgraph();
  await using transport = aTransport(subgraph.url);
  const events = all(transport.subscribe(subscription())).catch((error: unknown) => error);
  await waitFor('the subscription', () => subgraph.counts.subscriptions === 1);
  await transport.dispose();
  expect(await events).toMatchObject({
    name: 'SubgraphError',
    message: expect.stringContaining('closed by the gateway'),
  });
  await waitFor('the end of the socket', () => subgraph.clients.size === 0);
});

test('a socket that a slow consumer holds back takes no further subscriptions', async () => {
  await using subgraph = await aSocketSubgraph((socket, { type, id }) => {
    if (type !== 'subscribe') return;
    for (let n = 0; n < 300; n++) socket.send(JSON.stringify({ id, type: 'next', payload: { data: { n } } }));
  });
  await using transport = aTransport(subgraph.url);
  const slow = transport.subscribe(subscription());
  expect(await slow.next()).toMatchObject({ value: { data: { n: 0 } } });
  // Whether a socket is held is seen from outside only: by a subscription that has to open another.
  const others: AsyncGenerator<SubgraphAnswer>[] = [];
  await waitFor('another socket', () => {
    others.push(transport.subscribe(subscription()));
    void others.at(-1)!.next();
    return subgraph.sockets.length > 1;
  });
  await Promise.all([slow, ...others].map((stream) => stream.return(undefined)));
});

describe('connection_init', () => {
  /** The headers of the upgrade, and the payload, for a client that sent these. */
  async function seen(
    connectionParams: UpstreamSettings['connectionParams'],
    options: { forward?: string[]; sign?: boolean } = {},
  ): Promise<{ authorization: string | undefined; payload: unknown }> {
    await using subgraph = await aSocketSubgraph((socket, { type, id }) => {
      if (type === 'subscribe') socket.send(JSON.stringify({ type: 'complete', id }));
    });
    await using transport = aTransport(
      subgraph.url,
      {
        headers: { forward: options.forward ?? [], set: { 'x-gateway': 'sauti' } },
        subscriptions: { ...DEFAULT_UPSTREAM_SETTINGS, connectionParams },
      },
      { signCall: options.sign ? () => 'signature' : undefined },
    );
    const call = subscription({
      authorization: 'Bearer client',
      headers: { 'x-tenant': 'a', 'x-user-id': 'root', cookie: 'c=1' },
      connectionParams: { Authorization: 'Bearer raw', theme: 'dark' },
    });
    await all(transport.subscribe(call));
    const { headers } = subgraph.upgrades[0]!;
    expect(headers).toMatchObject({ 'x-gateway': 'sauti' });
    expect(headers).not.toHaveProperty('x-user-id');
    expect(headers).not.toHaveProperty('cookie');
    return { authorization: headers.authorization, payload: subgraph.messages[0]!.payload };
  }

  test('has the authorization that the upgrade has, by default', async () => {
    expect(await seen('authorization')).toEqual({ authorization: undefined, payload: {} });
    expect(await seen('authorization', { forward: ['authorization', 'x-tenant'] })).toEqual({
      authorization: 'Bearer client',
      payload: { authorization: 'Bearer client' },
    });
  });

  test('has what the client sent only where that is configured', async () => {
    const payload = { Authorization: 'Bearer raw', theme: 'dark' };
    expect(await seen('client')).toEqual({ authorization: undefined, payload });
    expect(await seen('none', { forward: ['authorization'] })).toEqual({
      authorization: 'Bearer client',
      payload: undefined,
    });
  });

  test.each(['authorization', 'client', 'none'] as const)(
    'has the signature of a gateway that signs, never the client’s authorization: %s',
    async (kind) => {
      const others = kind === 'client' ? { theme: 'dark' } : {};
      expect(await seen(kind, { sign: true })).toEqual({
        authorization: 'Bearer signature',
        payload: { authorization: 'Bearer signature', ...others },
      });
    },
  );

  test('makes scopes of callers that sent different things, where it is forwarded', async () => {
    const callers = [{ a: 1 }, { a: 2 }, undefined].map((connectionParams) => aCall({ connectionParams }));
    for (const [connectionParams, scopes] of [
      ['client', 3],
      ['authorization', 1],
      ['none', 1],
    ] as const) {
      await using transport = aTransport('http://127.0.0.1:1', {
        subscriptions: { ...DEFAULT_UPSTREAM_SETTINGS, connectionParams },
      });
      expect(new Set(callers.map((caller) => transport.scopeOf(caller))).size).toBe(scopes);
    }
  });
});

test('Sauti’s own subgraphs see the viewer of the socket and the request id of each subscription', async () => {
  const key = deriveCallKey('a secret that only tests know, of decent length', 'raw');
  const subgraph = buildSubgraph<SubgraphCallOptions>({
    name: 'raw',
    typeDefs: 'type Query { n: Int } type Subscription { who: String }',
    resolvers: {
      Subscription: {
        who: {
          async *subscribe(_: unknown, __: unknown, { identity }: SubgraphCallOptions) {
            const who = `${identity.viewer?.userId ?? 'nobody'} in ${identity.requestId}`;
            yield { who };
            yield { who };
          },
        },
      },
    },
    createContext: (call) => call,
    logger: silentLogger,
    byteRoutes: [],
    ready: async () => {},
  });
  await using served = await serveSubgraph({
    subgraph,
    callKey: key,
    host: '127.0.0.1',
    port: 0,
    logger: silentLogger,
  });
  let signatures = 0;
  await using transport = aTransport(
    `http://127.0.0.1:${served.port}/graphql`,
    {},
    {
      signCall(name, identity, body) {
        signatures++;
        return signCallIdentity(key, name, identity, body);
      },
    },
  );
  const viewers = ['ada', 'grace', 'ada', null, 'ada'].map((userId): Viewer | null =>
    userId === null ? null : { userId, sessionId: `s-${userId}`, scopes: [] },
  );
  const events = await Promise.all(
    viewers.map((viewer, index) =>
      all(transport.subscribe(subscription({ identity: { viewer, requestId: `r${index}` } }, 'subscription { who }'))),
    ),
  );
  expect(events).toEqual(
    viewers.map((viewer, index) => [1, 2].map(() => ({ who: `${viewer?.userId ?? 'nobody'} in r${index}` }))),
  );
  expect(signatures).toBe(3);
});
