import { waitFor } from '../../platform/testing/wait';
import { aRunningShop, MODES, post, type RunningShop } from '../testing/gateways';
import { aRawSocket, resultsOf as payloadsOf, type RawSocket } from '../testing/socket-client';

async function subscribed(running: RunningShop, query: string, variables: object = {}): Promise<RawSocket> {
  const socket = await aRawSocket(running.webSocketUrl, { init: null });
  socket.send({ type: 'subscribe', id: 's', payload: { query, variables } });
  return socket;
}

/** Payloads without what is said beside the answer: other tests are about cursors. */
function resultsOf(socket: RawSocket, id: string): ReturnType<typeof payloadsOf> {
  return payloadsOf(socket, id).map((payload) => {
    const { extensions: _, ...result } = payload as typeof payload & { extensions?: unknown };
    return result;
  });
}

describe.each(MODES)('subscriptions with subgraphs %s', (mode) => {
  let running: RunningShop;
  beforeEach(async () => {
    running = await aRunningShop(mode, {
      limits: { deadlineMs: 5_000 },
      subscriptions: { lingerMs: 50, stallMs: 60_000 },
    });
  });
  afterEach(() => running[Symbol.asyncDispose]());

  test('every event arrives once, in order, with fields of two other subgraphs', async () => {
    const socket = await subscribed(
      running,
      'subscription ($to: Int!) { count(to: $to) { n text user { name reviews { about { ... on Book { title } } } } } }',
      { to: 20 },
    );
    await socket.receive('complete', 's');
    const results = resultsOf(socket, 's');
    expect(results.map(({ data }) => (data?.['count'] as { n: number }).n)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    expect(results[0]).toEqual({
      data: {
        count: {
          n: 1,
          text: 'tick 1',
          user: { name: 'Grace', reviews: [{ about: { title: 'Notes' } }, { about: {} }] },
        },
      },
    });
    expect(results.every((result) => !('errors' in result))).toBe(true);
    socket.socket.close();
  });

  test('an interface in an event is answered by the subgraphs of its type', async () => {
    const socket = await subscribed(
      running,
      'subscription { priceChanged { old now product { __typename title ... on Book { author { name } reviews { author { karma } } } ... on Film { rating } } } }',
    );
    await waitFor('the stream', () => running.shop.feeds.price.open === 1);
    await post(
      running.url,
      'mutation { a: setPrice(upc: "b1", price: 1) { upc } b: setPrice(upc: "f1", price: 2) { upc } }',
    );
    await waitFor('two events', () => resultsOf(socket, 's').length === 2);
    expect(resultsOf(socket, 's').map(({ data }) => data?.['priceChanged'])).toEqual([
      {
        old: 1000,
        now: 1,
        product: {
          __typename: 'Book',
          title: 'Notes',
          author: { name: 'Ada' },
          reviews: [{ author: { karma: 20 } }, { author: { karma: 30 } }],
        },
      },
      { old: 800, now: 2, product: { __typename: 'Film', title: 'Sneakers', rating: 3 } },
    ]);
    socket.socket.close();
  });

  test('errors of an event and of what follows it have the client’s paths', async () => {
    const socket = await subscribed(running, 'subscription { count(to: 1) { n fails user { name flaky } } }');
    await socket.receive('complete', 's');
    const [result] = resultsOf(socket, 's');
    expect(result?.data).toEqual({ count: { n: 1, fails: null, user: { name: 'Grace', flaky: null } } });
    expect(result?.errors).toEqual([
      { message: 'This is private.', path: ['count', 'fails'], extensions: { code: 'FORBIDDEN' } },
      { message: 'Flaky for u2.', path: ['count', 'user', 'flaky'], extensions: { code: 'FORBIDDEN' } },
    ]);
    socket.socket.close();
  });

  test('a refused subscription says why and completes', async () => {
    const socket = await subscribed(running, 'subscription { broken { n } }');
    await socket.receive('complete', 's');
    expect(resultsOf(socket, 's')).toEqual([
      { data: null, errors: [{ message: 'Nobody may listen.', path: ['broken'], extensions: { code: 'FORBIDDEN' } }] },
    ]);
    socket.socket.close();
  });

  test('a source that fails later ends the subscription with its error', async () => {
    const socket = await subscribed(running, 'subscription { count(to: 5, failAt: 3) { n } }');
    await socket.receive('complete', 's');
    const results = resultsOf(socket, 's');
    expect(results.slice(0, 2)).toEqual([{ data: { count: { n: 1 } } }, { data: { count: { n: 2 } } }]);
    expect(results[2]?.errors?.[0]).toMatchObject({
      message: 'The counter is out of order.',
      extensions: { code: 'ENGINE_UNAVAILABLE' },
    });
    expect(results).toHaveLength(3);
    socket.socket.close();
  });

  test('complete frees the stream in the subgraph, though no event is coming', async () => {
    const socket = await subscribed(running, 'subscription { quiet { n } }');
    await waitFor('the stream', () => running.shop.feeds.quiet.open === 1);
    socket.send({ type: 'complete', id: 's' });
    await waitFor('its end', () => running.shop.feeds.quiet.open === 0);
    expect(socket.socket.readyState).toBe(socket.socket.OPEN);
    socket.socket.close();
  });

  test('a client that disappears frees its streams', async () => {
    const socket = await subscribed(running, 'subscription { quiet { n } }');
    socket.send({ type: 'subscribe', id: 't', payload: { query: 'subscription { quiet { text } }' } });
    await waitFor('the streams', () => running.shop.feeds.quiet.open === 2);
    socket.socket.terminate();
    await waitFor('their end', () => running.shop.feeds.quiet.open === 0);
  });

  test('complete cancels a running query', async () => {
    const socket = await subscribed(running, '{ slow(ms: 60000) }');
    await waitFor('the call', () => running.shop.calls.length === 1);
    socket.send({ type: 'complete', id: 's' });
    await waitFor('its end', () => running.shop.aborted.length === 1);
    socket.socket.close();
  });

  test('@include and @skip decide at the root, by variable', async () => {
    const query =
      'subscription ($on: Boolean!) { ...f } fragment f on Subscription { count(to: 1) @include(if: $on) { n user @skip(if: $on) { name } } }';
    const socket = await subscribed(running, query, { on: true });
    await socket.receive('complete', 's');
    // graphql-js refuses such conditions where it follows the newest specification; then there is nothing to decide.
    socket.send({ type: 'subscribe', id: 'off', payload: { query, variables: { on: false } } });
    const refused = await socket.receive('error', 'off');
    expect(JSON.stringify(refused.payload)).toContain('BAD_USER_INPUT');
    expect(resultsOf(socket, 's')).toEqual([{ data: { count: { n: 1 } } }]);
    socket.socket.close();
  });

  test('__typename beside the field is answered by the gateway', async () => {
    const socket = await subscribed(running, 'subscription { alias: count(to: 1) { __typename m: n } }');
    await socket.receive('complete', 's');
    expect(resultsOf(socket, 's')).toEqual([{ data: { alias: { __typename: 'Tick', m: 1 } } }]);
    socket.socket.close();
  });

  test('a client that does not read holds back the source instead of filling memory', async () => {
    const bulk = (sizeBytes: number) => `subscription { bulk(times: 3000, sizeBytes: ${sizeBytes}) { n text } }`;
    const socket = await subscribed(running, bulk(20_000));
    await waitFor('the first event', () => resultsOf(socket, 's').length > 0);
    socket.socket.pause();
    // Another client reads everything in the meantime: the first stream had the time, too.
    const reader = await subscribed(running, bulk(20_001));
    await reader.receive('complete', 's');
    expect(resultsOf(reader, 's')).toHaveLength(3_000);
    reader.socket.close();
    // 60 MB are on offer. What goes out fits into socket buffers and a short queue; then the source must stand still.
    expect(running.shop.sent - 3_000).toBeLessThan(2_900);
    socket.socket.resume();
    await socket.receive('complete', 's');
    const numbers = resultsOf(socket, 's').map(({ data }) => (data?.['bulk'] as { n: number }).n);
    expect(numbers).toEqual(Array.from({ length: 3_000 }, (_, index) => index + 1));
    socket.socket.close();
  }, 60_000);
});

test('a subgraph that dies ends its subscriptions with an error, and others go on', async () => {
  await using running = await aRunningShop('over HTTP');
  const socket = await subscribed(running, 'subscription { quiet { n } }');
  socket.send({ type: 'subscribe', id: 'other', payload: { query: 'subscription { renamed { name } }' } });
  await waitFor('the streams', () => running.shop.feeds.quiet.open + running.shop.feeds.rename.open === 2);
  await running.kill('products');
  await socket.receive('complete', 's');
  expect(resultsOf(socket, 's')).toEqual([
    {
      data: null,
      errors: [
        {
          message: expect.stringContaining('cannot be reached'),
          path: ['quiet'],
          extensions: { code: 'SUBGRAPH_UNAVAILABLE', requestId: expect.any(String) },
        },
      ],
    },
  ]);
  await post(running.url, 'mutation { renameUser(id: "u1", name: "Zoe") { id } }');
  await waitFor('the event', () => resultsOf(socket, 'other').length === 1);
  socket.socket.close();
});

test('a subgraph that cannot be reached ends a subscription with an error', async () => {
  await using running = await aRunningShop('over HTTP');
  await running.kill('products');
  const socket = await subscribed(running, 'subscription { quiet { n } }');
  await socket.receive('complete', 's');
  expect(resultsOf(socket, 's')[0]?.errors?.[0]?.extensions.code).toBe('SUBGRAPH_UNAVAILABLE');
  socket.socket.close();
});

test('a dead second subgraph costs its fields, not the event', async () => {
  await using running = await aRunningShop('over HTTP');
  await running.kill('reviews');
  const socket = await subscribed(running, 'subscription { count(to: 2) { n user { name flaky } } }');
  await socket.receive('complete', 's');
  const results = resultsOf(socket, 's');
  expect(results.map(({ data }) => data)).toEqual([
    { count: { n: 1, user: { name: 'Grace', flaky: null } } },
    { count: { n: 2, user: { name: 'Linus', flaky: null } } },
  ]);
  expect(results.map(({ errors }) => errors?.map(({ extensions }) => extensions.code))).toEqual([
    ['SUBGRAPH_UNAVAILABLE'],
    ['SUBGRAPH_UNAVAILABLE'],
  ]);
  socket.socket.close();
});
