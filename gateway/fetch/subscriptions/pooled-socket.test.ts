import { fakeIntervals } from '../../../platform/testing/fake-intervals';
import { waitFor } from '../../../platform/testing/wait';
import { aSocketSubgraph, type SocketSubgraph } from '../../testing/socket-subgraph';
import { aCall, aTransport } from '../../testing/transport';
import { subgraphOperation, type SubgraphAnswer, type SubgraphCall, type Transport } from '../transport';
import { DEFAULT_UPSTREAM_SETTINGS } from '../upstream-settings';
import { PooledSocket } from './pooled-socket';

/** A call whose text the subgraph can tell from others. */
function subscription(name = 'n', options: Partial<SubgraphCall> = {}): SubgraphCall {
  return aCall({ operation: subgraphOperation(`subscription { ${name} }`, undefined, 'subscription'), ...options });
}

/** Starts to wait for the next event; a failure is a value, too. */
function next(events: AsyncGenerator<SubgraphAnswer>): Promise<unknown> {
  return events.next().then(
    ({ done, value }) => (done ? 'complete' : value),
    (error: unknown) => error,
  );
}

const idOf = async (subgraph: SocketSubgraph, name: string): Promise<string> =>
  waitFor(
    `the subscription of ${name}`,
    () => subgraph.messages.find((message) => message.payload?.query?.includes(name))?.id,
  );

const event = (id: string, n: number) => ({ id, type: 'next', payload: { data: { n } } });

/** Two subscriptions that wait on one socket. */
async function twoOn(subgraph: SocketSubgraph, transport: Transport) {
  const first = next(transport.subscribe(subscription('first')));
  const other = transport.subscribe(subscription('other'));
  const otherNext = next(other);
  const ids = { first: await idOf(subgraph, 'first'), other: await idOf(subgraph, 'other') };
  expect(subgraph.sockets).toHaveLength(1);
  return { first, other, otherNext, ids };
}

describe('a subgraph that fails', () => {
  const settings = (given: object) => ({ subscriptions: { ...DEFAULT_UPSTREAM_SETTINGS, ...given } });

  test('by never acknowledging the connection fails its subscriptions in time', async () => {
    await using subgraph = await aSocketSubgraph(() => true);
    await using transport = aTransport(subgraph.url, settings({ ackMs: 100 }));
    expect(await next(transport.subscribe(subscription()))).toMatchObject({
      name: 'SubgraphError',
      code: 'SUBGRAPH_TIMEOUT',
      message: 'did not acknowledge the connection within 100 ms',
    });
    await waitFor('the end of the socket', () => subgraph.sockets[0]!.readyState === 3);
  });

  test.each([
    [4403, 'Forbidden'],
    [4429, 'Too many'],
    [1011, ''],
  ])('by closing with %i instead of acknowledging tells code and reason to all', async (code, reason) => {
    await using subgraph = await aSocketSubgraph((socket) => void socket.close(code, reason));
    await using transport = aTransport(subgraph.url);
    const failures = await Promise.all(['a', 'b'].map((name) => next(transport.subscribe(subscription(name)))));
    for (const failure of failures)
      expect(failure).toMatchObject({
        name: 'SubgraphError',
        code: 'SUBGRAPH_UNAVAILABLE',
        message: `closed the socket: ${code} ${reason || 'without a reason'}`,
      });
    expect(subgraph.sockets).toHaveLength(1);
  });

  test('by closing in the middle ends every subscription after the events it sent; the next one opens a new socket', async () => {
    await using subgraph = await aSocketSubgraph();
    await using transport = aTransport(subgraph.url);
    const { first, other, otherNext, ids } = await twoOn(subgraph, transport);
    subgraph.send(event(ids.other, 1));
    subgraph.send(event(ids.other, 2));
    subgraph.sockets[0]!.close(1012, 'Restart');
    expect(await first).toMatchObject({ message: 'closed the socket: 1012 Restart' });
    expect(await otherNext).toEqual({ data: { n: 1 } });
    expect(await next(other)).toEqual({ data: { n: 2 } });
    expect(await next(other)).toMatchObject({ name: 'SubgraphError', message: 'closed the socket: 1012 Restart' });

    const again = next(transport.subscribe(subscription('again')));
    subgraph.send(event(await idOf(subgraph, 'again'), 3));
    expect(await again).toEqual({ data: { n: 3 } });
    expect(subgraph.sockets).toHaveLength(2);
  });

  test('by cutting the connection, or not listening at all, is unavailable', async () => {
    await using subgraph = await aSocketSubgraph(
      (socket, { type }) => void (type === 'subscribe' && socket.terminate()),
    );
    await using transport = aTransport(subgraph.url);
    expect(await next(transport.subscribe(subscription()))).toMatchObject({ message: expect.stringContaining('1006') });
    await using nowhere = aTransport('http://127.0.0.1:1/graphql');
    expect(await next(nowhere.subscribe(subscription()))).toMatchObject({
      code: 'SUBGRAPH_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test.each([
    ['no JSON', 'no JSON'],
    ['a message of an unknown type', '{"type":"data","id":"1"}'],
    ['errors that are no list', '{"type":"error","id":"1","payload":"x"}'],
    ['no object', '[]'],
    ['no id', '{"type":"next"}'],
    [
      'a ping that is nested thousands of levels deep',
      `{"type":"ping","payload":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
    ],
  ])('by sending %s has its socket closed with 4400', async (_, text) => {
    await using subgraph = await aSocketSubgraph();
    await using transport = aTransport(subgraph.url);
    const { first, otherNext } = await twoOn(subgraph, transport);
    const closed = new Promise((resolve) => subgraph.sockets[0]!.once('close', resolve));
    subgraph.send(text);
    for (const failure of [await first, await otherNext])
      expect(failure).toMatchObject({ name: 'SubgraphError', code: 'SUBGRAPH_BAD_RESPONSE' });
    expect(await closed).toBe(4400);
  });

  test('by sending a message over the limit fails its subscriptions', async () => {
    await using subgraph = await aSocketSubgraph();
    await using transport = aTransport(subgraph.url, { maxAnswerBytes: 1_000 });
    const { first, otherNext } = await twoOn(subgraph, transport);
    subgraph.send(JSON.stringify('x'.repeat(2_000)));
    for (const failure of [await first, await otherNext])
      expect(failure).toMatchObject({ code: 'SUBGRAPH_BAD_RESPONSE', message: 'answered with more than 1000 bytes' });
  });

  test('by vanishing without a word ends every subscription with an error', async () => {
    // Only what repeats is under the test's control: the pings.
    fakeIntervals();
    await using subgraph = await aSocketSubgraph();
    await using transport = aTransport(subgraph.url, settings({ keepAliveMs: 5_000 }));
    try {
      const { first, otherNext } = await twoOn(subgraph, transport);
      const silent = subgraph.sockets[0]!;
      let pings = 0;
      silent.once('ping', () => pings++);
      jest.advanceTimersByTime(5_000);
      await waitFor('a ping', () => pings === 1);
      silent.pause(); // a host that is gone reads and answers nothing
      for (let ping = 0; ping < 3; ping++) jest.advanceTimersByTime(5_000);
      for (const failure of [await first, await otherNext])
        expect(failure).toMatchObject({ name: 'SubgraphError', message: 'answered no ping: its host is gone' });
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('one of several subscriptions on a socket', () => {
  async function endedBy(message: (id: string) => object): Promise<unknown> {
    await using subgraph = await aSocketSubgraph();
    await using transport = aTransport(subgraph.url);
    const { first, other, otherNext, ids } = await twoOn(subgraph, transport);
    subgraph.send(message(ids.first));
    const ended = await first;
    subgraph.send(event(ids.other, 1));
    expect(await otherNext).toEqual({ data: { n: 1 } });
    const last = next(other);
    subgraph.send({ id: ids.other, type: 'complete' });
    expect(await last).toBe('complete');
    return ended;
  }

  test('ends with an error of its own, and the others go on', async () => {
    const errors = [{ message: 'Not for you.' }];
    expect(await endedBy((id) => ({ id, type: 'error', payload: errors }))).toEqual({ data: undefined, errors });
    expect(await endedBy((id) => ({ id, type: 'complete' }))).toBe('complete');
  });

  test.each([[null], ['text'], [{ data: 1, errors: 'none' }], [{}]])(
    'that gets the payload %j fails, and the others go on',
    async (payload) => {
      expect(await endedBy((id) => ({ id, type: 'next', payload }))).toMatchObject({
        name: 'SubgraphError',
        code: 'SUBGRAPH_BAD_RESPONSE',
      });
    },
  );

  test('is left by return() and by the signal, at once and quietly; what still comes for it disturbs nobody', async () => {
    await using subgraph = await aSocketSubgraph();
    await using transport = aTransport(subgraph.url);
    const controller = new AbortController();
    const first = transport.subscribe(subscription('first'));
    const firstNext = next(first);
    const second = next(transport.subscribe(subscription('second', { signal: controller.signal })));
    const other = next(transport.subscribe(subscription('other')));
    const ids = [await idOf(subgraph, 'first'), await idOf(subgraph, 'second'), await idOf(subgraph, 'other')];
    await first.return();
    controller.abort(new Error('left'));
    expect([await firstNext, await second]).toEqual(['complete', 'complete']);
    await waitFor('two completes', () => subgraph.messages.filter(({ type }) => type === 'complete').length === 2);
    subgraph.send(event(ids[0]!, 1));
    subgraph.send({ id: ids[1]!, type: 'error', payload: [] });
    subgraph.send(event(ids[2]!, 2));
    expect(await other).toEqual({ data: { n: 2 } });
  });
});

test('pings of the subgraph are answered with their payload', async () => {
  await using subgraph = await aSocketSubgraph((socket, { type }) => {
    if (type === 'subscribe') socket.send('{"type":"ping","payload":{"n":1}}');
  });
  await using transport = aTransport(subgraph.url);
  void next(transport.subscribe(subscription()));
  await waitFor('a pong', () => subgraph.messages.some(({ type, payload }) => type === 'pong' && payload?.['n'] === 1));
});

describe('a slow consumer', () => {
  const options = (subgraph: SocketSubgraph, holdMs: number) => ({
    url: subgraph.url.replace('http', 'ws'),
    headers: {},
    connectionParams: {},
    maxMessageBytes: 1_000_000,
    ackMs: 10_000,
    keepAliveMs: 10_000,
    holdMs,
    lingerMs: 10,
  });
  const left = new AbortController();
  afterAll(() => left.abort());

  /** A subscription of which 300 events wait after the first, so that the socket is not read. */
  async function held(subgraph: SocketSubgraph, socket: PooledSocket) {
    const slow = socket.subscribe(subscription('slow'), left.signal);
    const first = next(slow);
    const id = await idOf(subgraph, 'slow');
    for (let n = 0; n <= 300; n++) subgraph.send(event(id, n));
    await waitFor('the hold', () => socket.isHeld);
    expect(await first).toEqual({ data: { n: 0 } });
    return { slow, id };
  }

  test('holds back the others until it caught up', async () => {
    await using subgraph = await aSocketSubgraph();
    const socket = new PooledSocket(options(subgraph, 60_000), () => {});
    const other = next(socket.subscribe(subscription('other'), left.signal));
    const { slow } = await held(subgraph, socket);
    subgraph.send(event(await idOf(subgraph, 'other'), 7));
    for (let n = 1; n <= 300; n++) expect(await next(slow)).toEqual({ data: { n } });
    expect(socket.isHeld).toBe(false);
    expect(await other).toEqual({ data: { n: 7 } });
    socket.close();
  });

  test('fails when it holds back others for too long; they go on', async () => {
    await using subgraph = await aSocketSubgraph();
    const socket = new PooledSocket(options(subgraph, 50), () => {});
    const other = next(socket.subscribe(subscription('other'), left.signal));
    const { slow, id } = await held(subgraph, socket);
    subgraph.send(event(await idOf(subgraph, 'other'), 7));
    expect(await other).toEqual({ data: { n: 7 } });
    await waitFor('complete', () =>
      subgraph.messages.some((message) => message.type === 'complete' && message.id === id),
    );
    let last = await next(slow);
    while (!(last instanceof Error)) last = await next(slow);
    expect(last).toMatchObject({ name: 'SubgraphError', message: expect.stringContaining('were not taken for 50 ms') });
    socket.close();
  });
});
