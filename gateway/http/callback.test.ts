import { createServer } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginSubscriptionCallback } from '@apollo/server/plugin/subscriptionCallback';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { gql } from 'graphql-tag';
import { silentLogger } from '../../platform/logger';
import { freePort } from '../../platform/testing/free-port';
import { waitFor } from '../../platform/testing/wait';
import { Callbacks, CALLBACK_PATH } from '../fetch/subscriptions/callbacks';
import type { SubgraphAnswer } from '../fetch/transport';
import { DEFAULT_UPSTREAM_SETTINGS } from '../fetch/upstream-settings';
import { createFeed } from '../testing/feed';
import { withAccounts } from '../testing/gateways';
import { aRawSubgraph } from '../testing/raw-subgraph';
import { TYPE_DEFS } from '../testing/shop';
import { aRawSocket, resultsOf } from '../testing/socket-client';
import { aCall, aTransport } from '../testing/transport';
import { callbackPage } from './callback';
import { plainIdentification } from '../testing/identification';
import { originPolicy } from './cors';
import { createHandler } from './handler';

const byCallback = { ...DEFAULT_UPSTREAM_SETTINGS, protocol: 'callback' as const };

interface Extension {
  callbackUrl: string;
  subscriptionId: string;
  verifier: string;
  heartbeatIntervalMs: number;
}

/** Sends one message of the protocol; the status, and the version where there is one. */
async function send(to: Extension, message: object, url = to.callbackUrl): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'subscription-protocol': 'callback/1.0' },
    body: JSON.stringify({ kind: 'subscription', id: to.subscriptionId, verifier: to.verifier, ...message }),
  });
  if (response.status === 204) expect(response.headers.get('subscription-protocol')).toBe('callback/1.0');
  await response.arrayBuffer();
  return response.status;
}

/**
 * A transport whose subgraph does what a test wants with a subscription before it answers, and the page that takes what
 * it sends.
 */
async function aSubscription(options: {
  heartbeatMs?: number;
  ackMs?: number;
  maxAnswerBytes?: number;
  /** What happens before the answer; default: a check. */
  before?: (to: Extension) => Promise<unknown>;
  answer?: { status: number; body: object };
}) {
  const port = await freePort();
  const { heartbeatMs = 60_000, ackMs = 10_000, maxAnswerBytes = 1_000_000 } = options;
  const callbacks = new Callbacks({ publicUrl: `http://127.0.0.1:${port}/`, heartbeatMs });
  const handler = createHandler({
    pages: new Map([[CALLBACK_PATH, { methods: ['POST'], answer: callbackPage(callbacks, { bodyIdleMs: 10_000 }) }]]),
    byteRoutes: [],
    origins: originPolicy([]),
    identification: plainIdentification(),
    logger: silentLogger,
  });
  const server = createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const seen: Extension[] = [];
  const { before = (to) => send(to, { action: 'check' }), answer = { status: 200, body: { data: null } } } = options;
  const subgraph = await aRawSubgraph((_request, response, body) => {
    const { extensions } = JSON.parse(body) as { extensions: { subscription: Extension } };
    void before(extensions.subscription).then(() => {
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
      seen.push(extensions.subscription);
    });
  });
  const transport = aTransport(
    subgraph.url,
    { maxAnswerBytes, subscriptions: { ...byCallback, ackMs } },
    { callbacks },
  );
  const controller = new AbortController();
  const events = transport.subscribe(aCall({ kind: 'subscription', signal: controller.signal }));
  return {
    events,
    subgraph,
    transport,
    leave: () => controller.abort(new Error('left')),
    /** Where to send to, once the subgraph has answered. */
    begun: () => waitFor('the subscription', () => seen[0]),
    /** The next event, the word at the end, or the error. */
    next: (): Promise<unknown> =>
      events.next().then(
        ({ done, value }: IteratorResult<SubgraphAnswer, void>) => (done ? 'complete' : value),
        (error: unknown) => error,
      ),
    async [Symbol.asyncDispose]() {
      controller.abort(new Error('left'));
      await transport[Symbol.asyncDispose]();
      await subgraph[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const event = (n: number) => ({ action: 'next', payload: { data: { n } } });
const failure = (code: string, message: string): unknown =>
  expect.objectContaining({ name: 'SubgraphError', code, message: expect.stringContaining(message) });

test('the operation is sent with what the subgraph needs to call back', async () => {
  await using subscription = await aSubscription({});
  const first = subscription.next();
  const to = await subscription.begun();
  const [{ headers, body }] = subscription.subgraph.requests as [{ headers: object; body: string }];
  expect(headers).toMatchObject({ accept: 'application/json;callbackSpec=1.0', 'x-request-id': 'test' });
  expect(JSON.parse(body)).toEqual({
    query: 'subscription { n }',
    variables: {},
    extensions: {
      subscription: {
        callbackUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/callback\/[0-9a-f-]{36}$/),
        subscriptionId: to.callbackUrl.split('/').at(-1),
        verifier: expect.stringMatching(/^[\w-]{32}$/),
        heartbeatIntervalMs: 60_000,
      },
    },
  });
  await send(to, event(1));
  expect(await first).toEqual({ data: { n: 1 } });
});

test('events arrive in order, also those before the answer, and complete ends them', async () => {
  await using subscription = await aSubscription({
    before: async (to) => {
      expect(await send(to, { action: 'check' })).toBe(204);
      expect(await send(to, event(0))).toBe(204);
    },
  });
  const first = subscription.next();
  const to = await subscription.begun();
  for (let n = 1; n <= 20; n++) expect(await send(to, event(n))).toBe(204);
  expect(await send(to, { action: 'complete' })).toBe(204);
  expect(await first).toEqual({ data: { n: 0 } });
  for (let n = 1; n <= 20; n++) expect(await subscription.next()).toEqual({ data: { n } });
  expect(await subscription.next()).toBe('complete');
  expect(await send(to, event(21))).toBe(404);
});

test('complete with errors passes them on as the last event', async () => {
  await using subscription = await aSubscription({});
  const first = subscription.next();
  expect(await send(await subscription.begun(), { action: 'complete', errors: [{ message: 'Over.' }] })).toBe(204);
  expect(await first).toEqual({ data: undefined, errors: [{ message: 'Over.' }] });
  expect(await subscription.next()).toBe('complete');
});

test('what is for no open subscription is 404, and what is no message or not proven 400; none of it disturbs', async () => {
  await using subscription = await aSubscription({});
  const first = subscription.next();
  const to = await subscription.begun();
  const other = 'c4a9d1b8-dc57-44ab-9e5a-6e6189b2b945';
  expect(await send(to, event(9), to.callbackUrl.replace(to.subscriptionId, other))).toBe(404);
  expect(await send(to, event(9), `${to.callbackUrl}/more`)).toBe(404);
  expect(await send(to, event(9), to.callbackUrl.replace(to.subscriptionId, ''))).toBe(404);
  expect(await send(to, { ...event(9), id: other })).toBe(404);
  expect(await send(to, { ...event(9), verifier: 'x' })).toBe(400);
  expect(await send(to, { ...event(9), verifier: undefined })).toBe(400);
  expect(await send(to, { ...event(9), kind: 'query' })).toBe(400);
  expect(await send(to, { ...event(9), action: 'heartbeat' })).toBe(400);
  for (const [body, type, status] of [
    ['{', 'application/json', 400],
    ['null', 'application/json', 400],
    ['x', 'text/plain', 400],
    ['x', 'application/xml', 415],
  ] as const)
    expect((await fetch(to.callbackUrl, { method: 'POST', headers: { 'content-type': type }, body })).status).toBe(
      status,
    );
  expect((await fetch(to.callbackUrl)).status).toBe(405);
  expect(await send(to, event(1))).toBe(204);
  expect(await first).toEqual({ data: { n: 1 } });
});

test('a subscription that was left is 404 for its subgraph', async () => {
  await using subscription = await aSubscription({});
  const first = subscription.next();
  const to = await subscription.begun();
  expect(await send(to, { action: 'check' })).toBe(204);
  subscription.leave();
  expect(await first).toBe('complete');
  expect(await send(to, { action: 'check' })).toBe(404);
});

test('a consumer that is behind delays the answers to events, not to checks', async () => {
  await using subscription = await aSubscription({});
  const first = subscription.next();
  const to = await subscription.begun();
  await send(to, event(0));
  expect(await first).toEqual({ data: { n: 0 } });
  let sent = 0;
  let isWaiting = false;
  const sending = (async () => {
    for (let n = 1; n <= 300; n++) {
      isWaiting = true;
      expect(await send(to, event(n))).toBe(204);
      isWaiting = false;
      sent++;
    }
  })();
  await waitFor('a full queue', () => sent === 255 && isWaiting);
  expect(await send(to, { action: 'check' })).toBe(204);
  expect(sent).toBe(255);
  for (let n = 1; n <= 300; n++) expect(await subscription.next()).toEqual({ data: { n } });
  await sending;
});

describe('a subgraph that fails', () => {
  test('by not sending heartbeats is gone', async () => {
    await using subscription = await aSubscription({ heartbeatMs: 100 });
    const first = subscription.next();
    const to = await subscription.begun();
    expect(await first).toEqual(failure('SUBGRAPH_UNAVAILABLE', 'no heartbeat for 1200 ms'));
    expect(await send(to, { action: 'check' })).toBe(404);
  });

  test('by not checking the callback before it answers is not trusted to send anything', async () => {
    await using subscription = await aSubscription({ before: async () => {} });
    expect(await subscription.next()).toEqual(failure('SUBGRAPH_BAD_RESPONSE', 'without checking'));
  });

  test('by refusing has its errors passed on, and by a server error is unavailable', async () => {
    const errors = [{ message: 'No.' }];
    await using refused = await aSubscription({ answer: { status: 400, body: { errors } } });
    expect([await refused.next(), await refused.next()]).toEqual([{ data: undefined, errors }, 'complete']);
    await using failed = await aSubscription({ answer: { status: 500, body: { errors } } });
    expect(await failed.next()).toEqual(failure('SUBGRAPH_UNAVAILABLE', 'status 500'));
    await using strange = await aSubscription({ answer: { status: 200, body: [] } });
    expect(await strange.next()).toEqual(failure('SUBGRAPH_BAD_RESPONSE', 'no GraphQL result'));
  });

  test('by not answering is told in time', async () => {
    await using subscription = await aSubscription({ before: () => new Promise(() => {}), ackMs: 100 });
    expect(await subscription.next()).toEqual(failure('SUBGRAPH_TIMEOUT', '100 ms'));
  });

  test('by an event that is no result, or is too large, ends its stream', async () => {
    await using strange = await aSubscription({});
    const first = strange.next();
    expect(await send(await strange.begun(), { action: 'next', payload: 5 })).toBe(400);
    expect(await first).toEqual(failure('SUBGRAPH_BAD_RESPONSE', 'no GraphQL result'));
    await using large = await aSubscription({ maxAnswerBytes: 1_000 });
    const last = large.next();
    expect(await send(await large.begun(), { ...event(1), padding: 'x'.repeat(1_000) })).toBe(413);
    expect(await last).toEqual(failure('SUBGRAPH_BAD_RESPONSE', 'more than 1000 bytes'));
  });

  test('by sending on without waiting for answers is cut off', async () => {
    await using subscription = await aSubscription({ maxAnswerBytes: 10_000_000 });
    const first = subscription.next();
    const to = await subscription.begun();
    await send(to, event(0));
    expect(await first).toEqual({ data: { n: 0 } });
    const large = { ...event(1), payload: { data: { text: 'x'.repeat(700_000) } } };
    const statuses = await Promise.all(Array.from({ length: 5 }, () => send(to, large)));
    expect(statuses.filter((status) => status === 204)).toHaveLength(3);
    for (let n = 0; n < 3; n++) expect(await subscription.next()).toMatchObject({ data: {} });
    expect(await subscription.next()).toEqual(failure('SUBGRAPH_BAD_RESPONSE', 'without waiting'));
  });

  test('when the transport is disposed ends what is open', async () => {
    await using subscription = await aSubscription({});
    const first = subscription.next();
    await subscription.begun();
    await subscription.transport.dispose();
    expect(await first).toEqual(failure('SUBGRAPH_UNAVAILABLE', 'closed by the gateway'));
  });
});

describe('a gateway over a subgraph that is an Apollo Server with the callback plugin', () => {
  const feed = createFeed<unknown>();
  const stopping = new AbortController();
  const server = new ApolloServer({
    schema: buildSubgraphSchema({
      typeDefs: gql(TYPE_DEFS.accounts),
      resolvers: {
        User: { __resolveReference: ({ id }: { id: string }) => ({ id, name: `User ${id}`, tags: [] }) },
        Subscription: { renamed: { subscribe: () => feed.subscribe(stopping.signal) } },
      },
    }),
    plugins: [ApolloServerPluginSubscriptionCallback(), ApolloServerPluginInlineTraceDisabled()],
  });
  let url = '';
  beforeAll(async () => {
    ({ url } = await startStandaloneServer(server, { listen: { port: 0, host: '127.0.0.1' } }));
  });
  afterAll(async () => {
    stopping.abort();
    await server.stop();
  });
  const remoteSubgraph = (name: string) =>
    name === 'accounts' ? { settings: { subscriptions: byCallback } } : undefined;

  test('gets its events to the client, and ends the stream there when the client leaves', async () => {
    const port = await freePort();
    const callback = { publicUrl: `http://127.0.0.1:${port}`, heartbeatMs: 1_000 };
    await using gateway = await withAccounts(url, { remoteSubgraph, callback }, port);
    const socket = await aRawSocket(gateway.url.replace('http', 'ws'), { init: null });
    socket.send({ type: 'subscribe', id: 's', payload: { query: 'subscription { renamed { id name karma } }' } });
    await waitFor('the stream', () => feed.open === 1);
    for (const id of ['u1', 'u2', 'u3']) feed.push({ renamed: { id, name: `User ${id}`, tags: [] } });
    await waitFor('three events', () => resultsOf(socket, 's').length === 3);
    expect(resultsOf(socket, 's').map(({ data }) => data?.['renamed'])).toEqual(
      ['u1', 'u2', 'u3'].map((id, index) => ({ id, name: `User ${id}`, karma: (index + 1) * 10 })),
    );
    socket.send({ type: 'complete', id: 's' });
    socket.socket.close();
    // It notices with its next heartbeat or event.
    await waitFor('the end of the stream', () => {
      feed.push({ renamed: { id: 'u4', name: 'Nobody', tags: [] } });
      return feed.open === 0;
    });
  });

  test('does not start without a URL that the subgraph can call back', async () => {
    await expect(withAccounts(url, { remoteSubgraph })).rejects.toThrow(
      'The subgraph "accounts" is to send events by callback, but nobody said where: set callback.publicUrl',
    );
    await expect(withAccounts(url, { remoteSubgraph, callback: { publicUrl: 'ws://gateway' } })).rejects.toThrow(
      'callback.publicUrl must be a URL with http: or https:, not "ws://gateway".',
    );
  });
});
