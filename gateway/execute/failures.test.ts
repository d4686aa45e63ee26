import { createServer, type AddressInfo, type Socket } from 'node:net';
import { waitFor } from '../../platform/testing/wait';
import { aRunningShop, MODES, post, withAccounts } from '../testing/gateways';
import { aRawSocket } from '../testing/socket-client';
import { always, aRawSubgraph } from '../testing/raw-subgraph';

describe.each(MODES)('subgraphs %s', (mode) => {
  test('a deadline cancels the slow call and leaves what others answered', async () => {
    await using running = await aRunningShop(mode, { limits: { deadlineMs: 150 } });
    const answer = await post(running.url, '{ slow(ms: 60000) product(upc: "b1") { title } }');
    expect(answer.data).toEqual({ slow: null, product: { title: 'Notes' } });
    expect(answer.errors).toEqual([
      {
        message: expect.stringContaining('too long'),
        path: ['slow'],
        extensions: { code: 'TIMEOUT', requestId: expect.any(String) },
      },
    ]);
    await waitFor('the resolver to see the abort', () => running.shop.aborted.length === 1);
  });

  test('a client that leaves cancels the call in the subgraph', async () => {
    await using running = await aRunningShop(mode);
    const leaving = new AbortController();
    const answer = post(running.url, '{ slow(ms: 60000) }', {}, { signal: leaving.signal });
    await waitFor('the call', () => running.shop.calls.length === 1);
    leaving.abort();
    await expect(answer).rejects.toThrow();
    await waitFor('the resolver to see the abort', () => running.shop.aborted.length === 1);
  });

  test('equal entities are asked for once', async () => {
    await using running = await aRunningShop(mode);
    const answer = await post(running.url, '{ latest(first: 4) { author { name } } }');
    expect(answer.errors).toBeUndefined();
    const [call] = running.shop.calls.filter(({ query }) => query.includes('_entities'));
    expect(call?.variables['representations']).toEqual([
      { __typename: 'User', id: 'u2' },
      { __typename: 'User', id: 'u3' },
      { __typename: 'User', id: 'u1' },
    ]);
  });

  test('a fetch gets only the variables it uses', async () => {
    await using running = await aRunningShop(mode);
    await post(running.url, 'query ($id: ID!, $upc: ID!) { user(id: $id) { name } product(upc: $upc) { title } }', {
      id: 'u1',
      upc: 'b1',
      extra: 'x',
    });
    const variables = Object.fromEntries(running.shop.calls.map((call) => [call.subgraph, { ...call.variables }]));
    expect(variables).toEqual({ accounts: { id: 'u1' }, products: { upc: 'b1' } });
  });

  test('one request id reaches every subgraph and the client', async () => {
    await using running = await aRunningShop(mode);
    const response = await fetch(running.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'mine' },
      body: JSON.stringify({ query: '{ me { reviews { id } } boom }' }),
    });
    const requestId = response.headers.get('x-request-id');
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(running.shop.calls.length).toBeGreaterThan(1);
    for (const call of running.shop.calls) expect(call.identity).toEqual({ viewer: null, requestId });
    const { errors } = (await response.json()) as { errors: { message: string; extensions: object }[] };
    expect(errors[0]?.extensions).toEqual({ code: 'INTERNAL', requestId });
    expect(JSON.stringify(errors)).not.toContain('hunter2');
  });

  test('only the code and the request id of a subgraph error pass', async () => {
    await using running = await aRunningShop(mode);
    const answer = await post(running.url, '{ user(id: "u2") { mustFlake } }');
    expect(answer.errors).toEqual([
      { message: 'Must not be null for u2.', path: ['user', 'mustFlake'], extensions: { code: 'TEAPOT' } },
    ]);
  });

  test('variables that do not fit are refused before any subgraph is called', async () => {
    await using running = await aRunningShop(mode);
    const answer = await post(running.url, 'query ($n: Int!) { products(first: $n) { upc } }', {
      n: `many ${'x'.repeat(5_000)}`,
    });
    expect(answer.status).toBe(400);
    expect(answer.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(answer.errors?.[0]?.message.length).toBeLessThan(500);
    expect(running.shop.calls).toEqual([]);
  });
});

test('a dead subgraph is an error at every field it would have answered, and the others answer', async () => {
  await using running = await aRunningShop('over HTTP');
  await running.kill('reviews');
  const answer = await post(running.url, '{ users { name flaky } latest { id } me { email } }');
  expect(answer.data).toBeNull(); // `latest` is non-null
  const nullable = await post(running.url, '{ users { name flaky } me { name } review(id: "r1") { id } }');
  expect(nullable.data).toEqual({
    users: ['Ada', 'Grace', 'Linus'].map((name) => ({ name, flaky: null })),
    me: { name: 'Ada' },
    review: null,
  });
  expect(nullable.errors?.map(({ path, extensions }) => [path?.join('.'), extensions.code]).sort()).toEqual([
    ['review', 'SUBGRAPH_UNAVAILABLE'],
    ['users.0.flaky', 'SUBGRAPH_UNAVAILABLE'],
    ['users.1.flaky', 'SUBGRAPH_UNAVAILABLE'],
    ['users.2.flaky', 'SUBGRAPH_UNAVAILABLE'],
  ]);
  expect(JSON.stringify(nullable)).not.toMatch(/reviews|127\.0\.0\.1|ECONN/);
});

describe('a subgraph that answers what it should not', () => {
  const unavailable = { code: 'SUBGRAPH_UNAVAILABLE', requestId: expect.any(String) };
  const badResponse = { code: 'SUBGRAPH_BAD_RESPONSE', requestId: expect.any(String) };

  test.each<[string, Parameters<typeof aRawSubgraph>[0], object]>([
    ['null without an error', always({ data: null }), badResponse],
    ['nothing', (_request, response) => response.end(), badResponse],
    ['HTML', (_request, response) => response.end('<html>SECRET</html>'), badResponse],
    ['a JSON string', always('SECRET'), badResponse],
    ['a list', always([{ data: { me: null } }]), badResponse],
    ['errors that are no list', always({ errors: 'SECRET' }), badResponse],
    ['status 500 with a GraphQL error', always({ errors: [{ message: 'SECRET' }] }, 500), unavailable],
    [
      'a redirect',
      (request, response) => response.writeHead(302, { location: `http://${request.headers.host}/SECRET` }).end(),
      badResponse,
    ],
    [
      'a cut-off body',
      (_request, response) =>
        response.writeHead(200, { 'content-length': 1_000 }).write('{"data":', () => response.destroy()),
      unavailable,
    ],
    [
      'more bytes than allowed',
      (_request, response) => response.end(JSON.stringify({ data: { me: { name: 'x'.repeat(50_000) } } })),
      badResponse,
    ],
  ])('%s is one error and no more', async (_, answer, extensions) => {
    await using raw = await aRawSubgraph(answer);
    await using gateway = await withAccounts(raw.url, { limits: { maxAnswerBytes: 40_000 } });
    const result = await post(gateway.url, '{ me { name } product(upc: "b1") { title } }');
    expect(result.status).toBe(200);
    expect(result.data).toEqual({ me: null, product: { title: 'Notes' } });
    expect(result.errors).toEqual([{ message: expect.not.stringContaining('SECRET'), path: ['me'], extensions }]);
    expect(raw.requests).toHaveLength(1);
  });

  test.each([
    ['fewer entities than asked for', [{ __typename: 'User', name: 'A' }]],
    ['more entities than asked for', Array.from({ length: 9 }, () => ({ name: 'A' }))],
    ['no list of entities', { name: 'A' }],
  ])('%s is SUBGRAPH_BAD_RESPONSE, and nobody gets another one’s data', async (_, entities) => {
    await using raw = await aRawSubgraph(always({ data: { _entities: entities } }));
    await using gateway = await withAccounts(raw.url);
    const result = await post(gateway.url, '{ latest(first: 2) { id author { partner { name } } } }');
    expect(result.errors).toEqual(
      [0, 1].map((index) => ({
        message: expect.any(String),
        path: ['latest', index, 'author', 'partner'],
        extensions: badResponse,
      })),
    );
    expect(result.data).toEqual({
      latest: [
        { id: 'r1', author: { partner: null } },
        { id: 'r2', author: { partner: null } },
      ],
    });
  });

  test('prototype names at every level change no prototype', async () => {
    const evil =
      '{"data":{"__proto__":{"polluted":1},"me":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"__typename":"User","id":"u1","name":"A"}}}';
    await using raw = await aRawSubgraph((_request, response) => void response.end(evil));
    await using gateway = await withAccounts(raw.url);
    const result = await post(gateway.url, '{ me { name reviews { id } } }');
    expect(result).toEqual({ status: 200, data: { me: { name: 'A', reviews: [{ id: 'r4' }] } } });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('a null the schema forbids is an error even when the subgraph says none', async () => {
    await using raw = await aRawSubgraph(always({ data: { me: { name: null } } }));
    await using gateway = await withAccounts(raw.url);
    const result = await post(gateway.url, '{ me { name } }');
    expect(result.data).toEqual({ me: null });
    expect(result.errors).toEqual([
      {
        message: expect.stringContaining('non-nullable'),
        path: ['me', 'name'],
        extensions: { code: 'SUBGRAPH_BAD_RESPONSE' },
      },
    ]);
  });

  test('a refusal with status 4xx passes with message and code', async () => {
    await using raw = await aRawSubgraph(
      always(
        {
          errors: [
            {
              message: 'Too many.',
              extensions: { code: 'RATE_LIMITED', stacktrace: ['SECRET'], serviceName: 'SECRET' },
            },
          ],
        },
        429,
      ),
    );
    await using gateway = await withAccounts(raw.url);
    const result = await post(gateway.url, '{ me { name } }');
    expect(result.errors).toEqual([{ message: 'Too many.', extensions: { code: 'RATE_LIMITED' } }]);
  });

  test('a subgraph that does not trust the gateway is unavailable, and no client is told to sign in', async () => {
    await using raw = await aRawSubgraph(
      always({ errors: [{ message: 'Who are you?', extensions: { code: 'UNAUTHENTICATED' } }] }, 401),
    );
    await using gateway = await withAccounts(raw.url, { signCall: () => 'signed' });
    expect((await post(gateway.url, '{ me { name } }')).errors?.[0]?.extensions).toEqual(unavailable);
  });
});

describe('a subgraph that is late', () => {
  const timeout = { code: 'SUBGRAPH_TIMEOUT', requestId: expect.any(String) };
  const settings = { deadlineMs: { query: 100, mutation: 100 } };

  test.each(['{ me { name } product(upc: "b1") { title } }', 'mutation { touchAccounts }'])(
    'is cut at its own deadline, and the others answer: %s',
    async (query) => {
      await using raw = await aRawSubgraph(() => {});
      await using gateway = await withAccounts(raw.url, { remoteSubgraph: () => ({ settings }) });
      const result = await post(gateway.url, query);
      const field = query.startsWith('mutation') ? 'touchAccounts' : 'me';
      expect(result.errors).toEqual([
        { message: 'Part of the service took too long to answer.', path: [field], extensions: timeout },
      ]);
      if (field === 'me') expect(result.data).toEqual({ me: null, product: { title: 'Notes' } });
    },
  );

  test('in process, too, and its resolver sees the abort', async () => {
    await using running = await aRunningShop('in process', { remoteSubgraph: () => ({ settings }) });
    const result = await post(running.url, '{ slow(ms: 60000) product(upc: "b1") { title } }');
    expect(result.data).toEqual({ slow: null, product: { title: 'Notes' } });
    expect(result.errors).toEqual([{ message: expect.any(String), path: ['slow'], extensions: timeout }]);
    await waitFor('the resolver to see the abort', () => running.shop.aborted.length === 1);
  });
});

test('a client that leaves closes the connection to the subgraph', async () => {
  let socket: Socket | undefined;
  await using raw = await aRawSubgraph((request) => void (socket = request.socket));
  await using gateway = await withAccounts(raw.url);
  const leaving = new AbortController();
  const answer = post(gateway.url, '{ me { name } }', {}, { signal: leaving.signal });
  await waitFor('the call', () => socket);
  leaving.abort();
  await expect(answer).rejects.toThrow();
  await waitFor('the connection to close', () => socket?.destroyed);
});

test('a kept connection that just closed costs a query nothing, and a mutation is not sent twice', async () => {
  const seen = new WeakSet<object>();
  await using raw = await aRawSubgraph((request, response, body) => {
    if (seen.has(request.socket)) return void request.socket.destroy();
    seen.add(request.socket);
    response.end(body.includes('mutation') ? '{"data":{"touchAccounts":1}}' : '{"data":{"me":{"name":"A"}}}');
  });
  await using gateway = await withAccounts(raw.url);
  const names = [await post(gateway.url, '{ me { name } }'), await post(gateway.url, '{ me { name } }')];
  expect(names.map(({ data }) => data)).toEqual([{ me: { name: 'A' } }, { me: { name: 'A' } }]);
  expect(raw.requests).toHaveLength(3);
  const mutation = await post(gateway.url, 'mutation { touchAccounts }');
  expect(mutation.errors?.[0]?.extensions.code).toBe('SUBGRAPH_UNAVAILABLE');
  expect(raw.requests).toHaveLength(4);
});

describe('the Authorization header of a client', () => {
  test.each([
    ['is not forwarded by default', {}, undefined],
    ['is forwarded when told so', { forwardAuthorization: true }, 'Bearer mine'],
    ['never replaces the signature', { forwardAuthorization: true, signCall: () => 'signed' }, 'Bearer signed'],
  ])('%s', async (_, options, expected) => {
    await using raw = await aRawSubgraph(always({ data: { me: { name: 'A' } } }));
    await using gateway = await withAccounts(raw.url, options);
    await post(gateway.url, '{ me { name } }', {}, { headers: { authorization: 'Bearer mine', 'x-user-id': 'root' } });
    expect(raw.requests[0]?.headers.authorization).toBe(expected);
    expect(raw.requests[0]?.headers).not.toHaveProperty('x-user-id');
  });
});

test('what is null because of an error elsewhere in the same answer is no fault of its own', async () => {
  await using raw = await aRawSubgraph(always({ data: null, errors: [{ message: 'denied', path: ['who'] }] }));
  await using gateway = await withAccounts(raw.url);
  const { data, errors } = await post(gateway.url, '{ me { name } who }');
  expect(data).toEqual({ me: null, who: null });
  expect(errors).toEqual([{ message: 'denied', path: ['who'], extensions: { code: 'INTERNAL' } }]);
});

test('errors that are none are a bad answer', async () => {
  await using raw = await aRawSubgraph(always({ data: { me: { name: 'A' } }, errors: [null, 5] }));
  await using gateway = await withAccounts(raw.url);
  const { errors } = await post(gateway.url, '{ me { name } }');
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['SUBGRAPH_BAD_RESPONSE']);
});

test('in production the message of an error without a code does not pass', async () => {
  await using raw = await aRawSubgraph(
    always({ data: { me: null }, errors: [{ message: 'connect ECONNREFUSED 10.1.2.3:5432', path: ['me'] }] }),
  );
  await using gateway = await withAccounts(raw.url, { development: false });
  const { errors } = await post(gateway.url, '{ me { name } }');
  expect(errors).toEqual([{ message: 'The request failed.', path: ['me'], extensions: { code: 'INTERNAL' } }]);
});

test('a client that leaves while a subgraph has not even answered the handshake harms nobody', async () => {
  const held: Socket[] = [];
  const silent = createServer((socket) => void held.push(socket.on('error', () => {}).resume()));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  await using gateway = await withAccounts(`http://127.0.0.1:${port}/graphql`);
  const client = await aRawSocket(gateway.url.replace('http', 'ws'), { init: {} });
  client.send({ id: 's', type: 'subscribe', payload: { query: 'subscription { renamed { name } }' } });
  await waitFor('the handshake', () => held.length === 1);
  client.socket.close();
  await waitFor('the end of the handshake', () => held[0]?.destroyed || held[0]?.readableEnded);
  expect((await post(gateway.url, '{ product(upc: "b1") { title } }')).data).toEqual({ product: { title: 'Notes' } });
  for (const socket of held) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
});
