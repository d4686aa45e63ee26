import { WebSocket } from 'ws';
import { SautiError } from '../../platform/errors';
import { waitFor } from '../../platform/testing/wait';
import type { Authenticate } from '../options';
import { aRunningShop, type RunningShop } from '../testing/gateways';
import { aRawSocket, resultsOf } from '../testing/socket-client';

/** Knows a token that lives, and one that ends soon. */
const authenticate: Authenticate = async (authorization) => {
  if (authorization === undefined) return null;
  const viewer = { userId: 'u1', sessionId: 's1', scopes: [] };
  if (authorization === 'Bearer good') return { viewer, issuedAt: new Date(), endsAt: new Date(Date.now() + 600_000) };
  if (authorization === 'Bearer for ever') return { viewer, issuedAt: new Date(), endsAt: new Date(8e15) };
  if (authorization === 'Bearer brief') return { viewer, issuedAt: new Date(), endsAt: new Date(Date.now() + 500) };
  if (authorization === 'Bearer down') throw new SautiError('SUBGRAPH_UNAVAILABLE', 'Tokens cannot be checked.');
  throw new SautiError(
    'UNAUTHENTICATED',
    authorization === 'Bearer old' ? 'The token has expired.' : 'The token is not valid.',
  );
};

let running: RunningShop;
beforeAll(async () => {
  running = await aRunningShop('in process', {
    authenticate,
    limits: { connectionInitMs: 400, maxOperationsPerSocket: 5 },
  });
});
afterAll(() => running[Symbol.asyncDispose]());

/** Subscriptions that are open. */
const subscriptions = (): number => running.gateway.subscriptions.subscriptions;
const connect = (options: Parameters<typeof aRawSocket>[1] = {}) => aRawSocket(running.webSocketUrl, options);
const subscribe = (id: string, query: string, more: object = {}) => ({
  type: 'subscribe',
  id,
  payload: { query, ...more },
});

describe('closing codes', () => {
  test.each<[string, number, unknown[]]>([
    ['text that is no JSON', 4400, ['{"type":']],
    ['an unknown type', 4400, [{ type: 'nonsense' }]],
    ['a type that only the server may send', 4400, [{ type: 'connection_ack' }]],
    ['no object', 4400, ['null']],
    ['an empty id', 4400, [{ type: 'subscribe', id: '', payload: { query: '{ me { id } }' } }]],
    [
      'variables that are no object',
      4400,
      [{ type: 'subscribe', id: 'a', payload: { query: '{ a }', variables: [1] } }],
    ],
    ['a numeric id', 4400, [{ type: 'subscribe', id: 1, payload: { query: '{ me { id } }' } }]],
    ['a subscribe without a query', 4400, [{ type: 'connection_init' }, { type: 'subscribe', id: 'a', payload: {} }]],
    ['subscribe before connection_init', 4401, [subscribe('a', '{ me { id } }')]],
    ['an expired token', 4403, [{ type: 'connection_init', payload: { authorization: 'Bearer old' } }]],
    ['a token that is no string', 4403, [{ type: 'connection_init', payload: { authorization: { a: 1 } } }]],
    ['tokens that cannot be checked', 1013, [{ type: 'connection_init', payload: { authorization: 'Bearer down' } }]],
    ['silence', 4408, []],
    ['a second connection_init', 4429, [{ type: 'connection_init' }, { type: 'connection_init' }]],
    [
      'an id that is in use',
      4409,
      [{ type: 'connection_init' }, subscribe('a', 'subscription { quiet { n } }'), subscribe('a', '{ me { id } }')],
    ],
    ['a message over the limit', 1009, [{ type: 'connection_init', payload: { x: 'x'.repeat(66_000) } }]],
  ])('%s: %i', async (_, code, messages) => {
    const socket = await connect();
    for (const message of messages) {
      socket.send(message);
      if ((message as { type?: string }).type === 'connection_init' && messages.length > 1)
        await Promise.race([socket.receive('connection_ack'), socket.closed]);
    }
    expect((await socket.closed).code).toBe(code);
  });

  test('no subprotocol: 4406', async () => {
    const socket = await connect({ protocol: null });
    expect((await socket.closed).code).toBe(4406);
  });

  test('the reason tells an expired token from an invalid one', async () => {
    for (const [token, reason] of [
      ['old', 'expired'],
      ['bad', 'not valid'],
    ] as const) {
      const socket = await connect();
      socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
      expect(await socket.closed).toEqual({ code: 4403, reason: expect.stringContaining(reason) });
    }
  });
});

describe('the viewer', () => {
  test.each([
    ['authorization with the scheme', { authorization: 'Bearer good' }, 'u1'],
    ['authorization without it', { authorization: 'good' }, 'u1'],
    ['Authorization', { Authorization: 'Bearer good' }, 'u1'],
    ['nothing', { other: 1 }, null],
  ])('comes from %s', async (_, payload, expected) => {
    const socket = await connect({ init: payload });
    socket.send(subscribe('q', '{ who }'));
    await socket.receive('complete', 'q');
    expect(resultsOf(socket, 'q')).toEqual([{ data: { who: expected } }]);
    socket.socket.close();
  });

  test('leaves when its token ends: the socket is closed with 4403, its streams are freed, and others stay', async () => {
    const others = [];
    for (const authorization of ['Bearer good', 'Bearer for ever']) {
      const other = await connect({ init: { authorization } });
      other.send(subscribe('s', 'subscription { quiet { n } }'));
      others.push(other);
    }
    await waitFor('theirs', () => subscriptions() === 2);
    const brief = await connect({ init: { authorization: 'Bearer brief' } });
    brief.send(subscribe('s', 'subscription { quiet { n } }'));
    expect(await brief.closed).toEqual({ code: 4403, reason: 'Access token expired' });
    await waitFor('only those of the others', () => subscriptions() === 2);
    for (const { socket } of others) {
      expect(socket.readyState).toBe(socket.OPEN);
      socket.close();
    }
    await waitFor('the end of all', () => subscriptions() === 0);
  });

  test('is asked for with a request id of its own for each operation', async () => {
    const socket = await connect({ init: null });
    running.shop.calls.length = 0;
    socket.send(subscribe('a', '{ who }'));
    socket.send(subscribe('b', '{ who }'));
    await socket.receive('complete', 'a');
    await socket.receive('complete', 'b');
    expect(new Set(running.shop.calls.map(({ identity }) => (identity as { requestId: string }).requestId)).size).toBe(
      2,
    );
    socket.socket.close();
  });
});

describe('operations', () => {
  test('a query and a mutation are answered like on HTTP', async () => {
    const socket = await connect({ init: null });
    socket.send(
      subscribe('q', 'query Two($id: ID!) { user(id: $id) { name reviews { id } secret } } query One { me { id } }', {
        variables: { id: 'u2' },
        operationName: 'Two',
      }),
    );
    socket.send(subscribe('m', 'mutation { touchProducts }'));
    await socket.receive('complete', 'q');
    await socket.receive('complete', 'm');
    expect(resultsOf(socket, 'q')).toEqual([
      {
        data: { user: { name: 'Grace', reviews: [{ id: 'r1' }, { id: 'r3' }], secret: null } },
        errors: [{ message: 'This is private.', path: ['user', 'secret'], extensions: { code: 'FORBIDDEN' } }],
      },
    ]);
    expect(resultsOf(socket, 'm')[0]?.data).toEqual({ touchProducts: 1 });
    socket.socket.close();
  });

  test.each([
    ['a syntax error', '{ me {', 'GRAPHQL_PARSE_FAILED', {}],
    ['an unknown field', '{ nothing }', 'GRAPHQL_VALIDATION_FAILED', {}],
    [
      'a variable that does not fit',
      'query ($n: Int!) { products(first: $n) { upc } }',
      'BAD_USER_INPUT',
      { variables: { n: 'x' } },
    ],
    ['an unknown operation name', 'query A { me { id } }', 'BAD_REQUEST', { operationName: 'B' }],
    ['two operations without a name', 'query A { me { id } } query B { me { id } }', 'BAD_REQUEST', {}],
    [
      'two root fields of a subscription',
      'subscription { quiet { n } renamed { id } }',
      'GRAPHQL_VALIDATION_FAILED',
      {},
    ],
    [
      'an introspection field in a subscription',
      'subscription { __schema { queryType { name } } }',
      'GRAPHQL_VALIDATION_FAILED',
      {},
    ],
    ['too deep a query', `{ me ${'{ partner '.repeat(15)} { id } ${'}'.repeat(15)} }`, 'DEPTH_LIMIT', {}],
    [
      'too many aliases',
      `{ ${Array.from({ length: 31 }, (__, index) => `a${index}: __typename`).join(' ')} }`,
      'ALIAS_LIMIT',
      {},
    ],
    ['too many tokens', `{ ${'__typename '.repeat(2_100)} }`, 'GRAPHQL_PARSE_FAILED', {}],
  ])('%s is an error message, and the socket stays', async (_, query, code, more) => {
    const socket = await connect({ init: null });
    socket.send(subscribe('e', query, more));
    const { payload } = await socket.receive('error', 'e');
    expect((payload as { extensions: { code: string } }[])[0]?.extensions.code).toBe(code);
    socket.send(subscribe('ok', '{ who }'));
    await socket.receive('complete', 'ok');
    socket.socket.close();
  });

  test('one more than the allowed number is refused, the others go on', async () => {
    const socket = await connect({ init: null });
    for (let index = 1; index <= 5; index++) socket.send(subscribe(`s${index}`, 'subscription { quiet { n } }'));
    await waitFor('five', () => subscriptions() === 5);
    socket.send(subscribe('s6', 'subscription { quiet { n } }'));
    expect(JSON.stringify((await socket.receive('error', 's6')).payload)).toContain('SUBSCRIPTION_LIMIT');
    expect(subscriptions()).toBe(5);
    socket.send({ type: 'complete', id: 's1' });
    await waitFor('a free place', () => subscriptions() === 4);
    socket.send(subscribe('s7', 'subscription { quiet { n } }'));
    await waitFor('five again', () => subscriptions() === 5);
    socket.socket.close();
    await waitFor('their end', () => subscriptions() === 0);
  });

  test('prototype names are just ids', async () => {
    const socket = await connect({ init: null });
    for (const id of ['__proto__', 'toString', 'constructor']) {
      socket.send(subscribe(id, '{ who }'));
      await socket.receive('complete', id);
      expect(resultsOf(socket, id)).toEqual([{ data: { who: null } }]);
    }
    socket.socket.close();
  });

  test('ping is answered with its payload', async () => {
    const socket = await connect({ init: null });
    socket.send({ type: 'ping', payload: { a: 1 } });
    expect((await socket.receive('pong')).payload).toEqual({ a: 1 });
    socket.socket.close();
  });
});

describe('the upgrade', () => {
  const refusedWith = (url: string, headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url, 'graphql-transport-ws', { headers });
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.once('open', () => {
        socket.close();
        resolve(101);
      });
      socket.once('error', reject);
    });

  test.each([
    ['a page of another site', 'https://evil.example', 403],
    ['a look-alike', 'http://localhost.evil.example', 403],
    ['an opaque origin', 'null', 403],
    ['the hosted Sandbox in development', 'https://studio.apollographql.com', 101],
    ['a local front end in development', 'http://localhost:5173', 101],
  ])('from %s', async (_, origin, status) => {
    expect(await refusedWith(running.webSocketUrl, { origin })).toBe(status);
  });

  test('from the gateway’s own page, and from no page', async () => {
    expect(await refusedWith(running.webSocketUrl, { origin: new URL(running.url).origin })).toBe(101);
    expect(await refusedWith(running.webSocketUrl, {})).toBe(101);
  });

  test.each([
    'access_token=a',
    'authorization=Bearer%20a',
    'x=1&Token=a',
    'jwt=a',
    'id_token=a',
    'bearer=a',
    'apiKey=a',
    'x=sauti_00000000_a',
  ])('with a token in the URL: %s', async (search) => {
    expect(await refusedWith(`${running.webSocketUrl}?${search}`, {})).toBe(400);
  });

  test('with a query that has no token', async () => {
    expect(await refusedWith(`${running.webSocketUrl}?v=2`, {})).toBe(101);
  });

  test('on another path', async () => {
    expect(await refusedWith(running.webSocketUrl.replace('/graphql', '/other'), {})).toBe(404);
  });
});

test('in production introspection and suggestions are off on the socket, too', async () => {
  await using production = await aRunningShop('in process', { development: false });
  const socket = await aRawSocket(production.webSocketUrl, { init: null });
  socket.send(subscribe('i', '{ __schema { queryType { name } } }'));
  expect(JSON.stringify((await socket.receive('error', 'i')).payload)).toContain('introspection');
  socket.send(subscribe('s', '{ mee { id } }'));
  expect(JSON.stringify((await socket.receive('error', 's')).payload)).not.toContain('Did you mean');
  socket.socket.close();
});

test('stopping closes sockets with 1001 and frees their streams', async () => {
  const stopping = await aRunningShop('in process');
  const socket = await aRawSocket(stopping.webSocketUrl, { init: null });
  socket.send(subscribe('s', 'subscription { quiet { n } }'));
  await waitFor('the stream', () => stopping.shop.feeds.quiet.open === 1);
  await stopping.gateway.stop();
  expect((await socket.closed).code).toBe(1001);
  expect(stopping.shop.feeds.quiet.open).toBe(0);
});
