import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { SautiError } from '../errors';
import { deriveCallKey, MULTIPART_BODY, SOCKET_BODY, signCallIdentity } from '../identity/call-identity';
import type { Viewer } from '../identity/viewer';
import { silentLogger } from '../logger';
import { pause } from '../pause';
import { aViewer, identityOf } from '../testing/calls';
import { echoSockets } from '../testing/echo-sockets';
import { waitFor } from '../testing/wait';
import { buildSubgraph } from './build-subgraph';
import { serveSubgraph } from './serve';
import type { SubgraphCallOptions } from './subgraph';

const SECRET = 'a secret of at least thirty-two characters';
const TYPE_DEFS = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
  type Query { whoAmI: String waits: Boolean fails: String refuses: String }
  type Subscription { ticks(until: Int): Int fails: Int }
  type Thing @key(fields: "id") { id: ID! }`;
const callKey = deriveCallKey(SECRET, 'tiny');
const amina = aViewer();

/** What the tiny subgraph's resolvers are doing. */
let open: { generators: number; waiting: number };
let isReady: boolean;
let server: Awaited<ReturnType<typeof serveSubgraph>>;
let origin: string;
const clients: Client[] = [];

const resolvers = {
  Query: {
    whoAmI: (_parent: unknown, _args: unknown, { identity }: SubgraphCallOptions) =>
      identity.viewer?.userId ?? 'nobody',
    waits: async (_parent: unknown, _args: unknown, { signal }: SubgraphCallOptions) => {
      open.waiting++;
      await pause(3_600_000, signal);
      open.waiting--;
    },
    fails: () => {
      throw new Error('the password of the database is 12345');
    },
    refuses: () => {
      throw new SautiError('NOT_FOUND', 'There is no such thing.');
    },
  },
  Subscription: {
    ticks: {
      async *subscribe(_parent: unknown, { until }: { until?: number }, { signal }: SubgraphCallOptions) {
        open.generators++;
        try {
          for (let tick = 1; tick <= (until ?? 1); tick++) yield { ticks: tick };
          if (until === undefined) await pause(3_600_000, signal);
        } finally {
          open.generators--;
        }
      },
    },
    fails: {
      async *subscribe() {
        throw new Error('the password of the database is 12345');
      },
    },
  },
};

beforeEach(async () => {
  open = { generators: 0, waiting: 0 };
  isReady = true;
  const subgraph = buildSubgraph<SubgraphCallOptions>({
    name: 'tiny',
    typeDefs: TYPE_DEFS,
    resolvers,
    createContext: (call) => call,
    logger: silentLogger,
    ...echoSockets(),
    ready: async () => {
      if (!isReady) throw new Error('the database is away');
    },
  });
  server = await serveSubgraph({
    subgraph,
    callKey,
    host: '127.0.0.1',
    port: 0,
    bodyIdleMs: 500,
    logger: silentLogger,
  });
  origin = `http://127.0.0.1:${server.port}`;
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.dispose();
  await server[Symbol.asyncDispose]();
});

const sign = (body: string, viewer: Viewer | null = amina, key = callKey, audience = 'tiny'): string =>
  `Bearer ${signCallIdentity(key, audience, identityOf(viewer), body)}`;
const bodyOf = (query: string, variables?: object): string => JSON.stringify({ query, variables });
async function post(body: string, authorization?: string): Promise<{ status: number; answer: unknown }> {
  const headers = { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) };
  const response = await fetch(`${origin}/graphql`, { method: 'POST', headers, body });
  return { status: response.status, answer: await response.json() };
}
const ask = (query: string, viewer: Viewer | null = amina): Promise<{ status: number; answer: unknown }> => {
  const body = bodyOf(query);
  return post(body, sign(body, viewer));
};

describe('over HTTP', () => {
  test('a signed call is answered for the viewer it names', async () => {
    expect(await ask('{ whoAmI }')).toEqual({ status: 200, answer: { data: { whoAmI: amina.userId } } });
    expect(await ask('{ whoAmI }', null)).toEqual({ status: 200, answer: { data: { whoAmI: 'nobody' } } });
  });

  test.each([
    '{ _service { sdl } }',
    '{ __schema { types { name } } }',
    '{ __typename }',
    '{ _entities(representations: [{ __typename: "Thing", id: 1 }]) { __typename } }',
    '{ nonsense',
    '',
  ])('without a signature %j gets 401 and nothing else', async (query) => {
    const body = bodyOf(query);
    const refused = {
      status: 401,
      answer: {
        errors: [{ message: 'This subgraph answers its gateway only.', extensions: { code: 'UNAUTHENTICATED' } }],
      },
    };
    expect(await post(body)).toEqual(refused);
    expect(await post(body, 'Bearer nonsense')).toEqual(refused);
    expect(await post(body, sign(`${body} `))).toEqual(refused);
    expect(await post(body, sign(body, amina, deriveCallKey(SECRET, 'files'), 'files'))).toEqual(refused);
    expect(await post(body, sign(body, amina, callKey, 'files'))).toEqual(refused);
  });

  test('a captured signature is worth nothing for another kind of call, another body or another viewer', async () => {
    const body = bodyOf('{ whoAmI }');
    for (const other of [MULTIPART_BODY, SOCKET_BODY]) expect((await post(body, sign(other))).status).toBe(401);
    expect((await post(bodyOf('{ fails }'), sign(body))).status).toBe(401);
    const form = new FormData();
    form.set('operations', body);
    form.set('map', '{}');
    const headers = { authorization: sign(body) };
    expect((await fetch(`${origin}/graphql`, { method: 'POST', headers, body: form })).status).toBe(401);
    const [, claims] = sign(body).split('.');
    const forged = Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(claims!, 'base64url').toString()), sub: 'usr_other' }),
    ).toString('base64url');
    expect((await post(body, sign(body).replace(claims!, forged))).status).toBe(401);
  });

  test('a signature of a minute ago gets 401', async () => {
    const body = bodyOf('{ whoAmI }');
    jest.useFakeTimers({
      now: Date.now() - 60_000,
      doNotFake: [
        'nextTick',
        'setImmediate',
        'setTimeout',
        'setInterval',
        'clearTimeout',
        'clearInterval',
        'queueMicrotask',
        'performance',
      ],
    });
    const old = sign(body);
    jest.useRealTimers();
    expect((await post(body, old)).status).toBe(401);
  });

  test('an unsigned multipart request gets 401 before its body is looked at', async () => {
    const body = new FormData();
    body.append('operations', bodyOf('{ whoAmI }'));
    body.append('map', '{}');
    const unsigned = await fetch(`${origin}/graphql`, { method: 'POST', body });
    expect(unsigned.status).toBe(401);
    const headers = { authorization: sign(bodyOf('{ whoAmI }')) };
    expect((await fetch(`${origin}/graphql`, { method: 'POST', headers, body })).status).toBe(401);
  });

  test('an unsigned body is not waited for', async () => {
    const socket = net.connect(server.port, '127.0.0.1');
    const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
    socket.write(
      'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n{',
    );
    expect(await answer).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();
  });

  test('a refused caller that goes on sending is cut off', async () => {
    const socket = net.connect(server.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.on('data', () => undefined);
    socket.write('POST /nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000000\r\n\r\n');
    const send = (): void => {
      if (socket.destroyed) return;
      if (socket.write(Buffer.alloc(65_536))) setImmediate(send);
      else socket.once('drain', send);
    };
    send();
    await closed;
  });

  test('a signed body that stops coming is not waited for', async () => {
    const body = bodyOf('{ whoAmI }');
    const socket = net.connect(server.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: ${sign(body)}\r\ncontent-length: ${body.length}\r\n\r\n{`,
    );
    await closed;
  });

  test('a signed body that is no GraphQL request, or larger than 8 MiB, is 400', async () => {
    for (const body of [
      '',
      '{',
      '[]',
      '"text"',
      '{"query":1}',
      JSON.stringify({ query: 'x'.repeat(9 * 1024 * 1024) }),
    ]) {
      expect((await post(body, sign(body))).status).toBe(400);
    }
  });

  test('errors of the request are told, expected ones with their code, unexpected ones masked', async () => {
    expect((await ask('{ nonsense }')).answer).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    expect((await ask('{ refuses }')).answer).toMatchObject({
      data: { refuses: null },
      errors: [{ message: 'There is no such thing.', path: ['refuses'], extensions: { code: 'NOT_FOUND' } }],
    });
    const { answer } = await ask('{ fails }');
    expect(answer).toMatchObject({
      errors: [{ path: ['fails'], extensions: { code: 'INTERNAL', requestId: 'test-request' } }],
    });
    expect(JSON.stringify(answer)).not.toContain('12345');
  });

  test('a caller that leaves ends what its call waits for', async () => {
    const body = bodyOf('{ waits }');
    const request = http.request(`${origin}/graphql`, {
      method: 'POST',
      agent: false,
      headers: { authorization: sign(body) },
    });
    request.on('error', () => undefined);
    request.end(body);
    await waitFor('the resolver to wait', () => open.waiting === 1);
    request.destroy();
    await waitFor('the resolver to end', () => open.waiting === 0);
  });

  test('other paths, methods and targets are answered in JSON', async () => {
    const statusOf = async (target: string, method = 'GET'): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const request = http.request(
          { port: server.port, host: '127.0.0.1', path: target, method, agent: false },
          (response) => {
            response.resume();
            resolve(response.statusCode);
          },
        );
        request.once('error', reject).end();
      });
    expect(await statusOf('/nothing')).toBe(404);
    expect(await statusOf('/graphql?query={whoAmI}')).toBe(405);
    expect(await statusOf('//')).toBe(400);
    expect(await statusOf('/health')).toBe(200);
    expect(await statusOf('/ready')).toBe(200);
    isReady = false;
    expect(await statusOf('/ready')).toBe(503);
  });
});

describe('over graphql-transport-ws', () => {
  /** A client of the gateway's kind: one socket for one caller, no reconnecting. */
  function connect(authorization: unknown, onClosed: (code: number) => void = () => undefined): Client {
    const client = createClient({
      url: `ws://127.0.0.1:${server.port}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization },
      retryAttempts: 0,
      on: { closed: (event) => onClosed((event as { code: number }).code) },
    });
    clients.push(client);
    return client;
  }
  const signed = (): string => sign(SOCKET_BODY);
  const first = async (client: Client, query: string): Promise<unknown> => {
    for await (const result of client.iterate({ query })) return result;
    return 'nothing';
  };

  test.each<[why: string, authorization: () => unknown]>([
    ['no identity', () => undefined],
    ['nonsense', () => 'Bearer nonsense'],
    ['a number', () => 1],
    ['an identity signed for another body', () => sign('{}')],
    [
      'an identity signed for another subgraph',
      () => sign(SOCKET_BODY, amina, deriveCallKey(SECRET, 'files'), 'files'),
    ],
  ])('a socket with %s is closed with 4403', async (_why, authorization) => {
    const code = await new Promise<number>((resolve) => {
      first(connect(authorization(), resolve), 'subscription { ticks }').catch(() => undefined);
    });
    expect(code).toBe(4403);
    expect(open.generators).toBe(0);
  });

  test('events come in order and the stream ends with its source', async () => {
    const seen: unknown[] = [];
    for await (const result of connect(signed()).iterate({ query: 'subscription { ticks(until: 3) }' }))
      seen.push(result.data);
    expect(seen).toEqual([{ ticks: 1 }, { ticks: 2 }, { ticks: 3 }]);
    expect(open.generators).toBe(0);
  });

  test('a subscriber that leaves frees its generator at once, although no further event comes', async () => {
    const events = connect(signed()).iterate({ query: 'subscription { ticks }' });
    await events.next();
    expect(open.generators).toBe(1);
    await events.return!();
    await waitFor('the generator to end', () => open.generators === 0);
  });

  test('a socket that breaks frees every generator it had', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/graphql`, 'graphql-transport-ws');
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      if (!(data as Buffer).toString().includes('connection_ack')) return;
      for (const id of ['1', '2', '3']) {
        socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query: 'subscription { ticks }' } }));
      }
    });
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: signed() } }));
    await waitFor('three generators', () => open.generators === 3);
    socket.terminate();
    await waitFor('no generator', () => open.generators === 0);
  });

  test('a stream that breaks says so, without the reason', async () => {
    const result = await first(connect(signed()), 'subscription { fails }');
    expect(result).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL' } }] });
    expect(JSON.stringify(result)).not.toContain('12345');
  });

  test('a document that is malformed or unknown to the schema is refused, and the socket lives on', async () => {
    const client = connect(signed());
    await expect(first(client, 'subscription { ')).rejects.toBeDefined();
    expect(await first(client, 'subscription { nonsense }')).toMatchObject({
      errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
    });
    expect(await first(client, 'subscription { ticks(until: 1) }')).toMatchObject({ data: { ticks: 1 } });
  });

  test('closing the server ends what its sockets hold', async () => {
    let code = 0;
    const events = connect(signed(), (closedWith) => (code = closedWith)).iterate({ query: 'subscription { ticks }' });
    await events.next();
    const ended = events.next().catch(() => 'broken off');
    await server[Symbol.asyncDispose]();
    expect(await ended).toBe('broken off');
    await waitFor('the generator to end', () => open.generators === 0);
    expect(code).toBe(1001);
    server = { port: 0, [Symbol.asyncDispose]: async () => undefined };
  });
});

describe('in process', () => {
  test('return() on a subscription that waits for an event ends it at once', async () => {
    const subgraph = buildSubgraph<SubgraphCallOptions>({
      name: 'tiny',
      typeDefs: TYPE_DEFS,
      resolvers,
      createContext: (call) => call,
      logger: silentLogger,
      ready: async () => undefined,
    });
    const call = { identity: identityOf(amina), signal: new AbortController().signal };
    const events = subgraph.subscribe({ query: 'subscription { ticks }' }, call);
    expect((await events.next()).value).toEqual({ data: { ticks: 1 } });
    const waiting = events.next();
    await events.return();
    expect(open.generators).toBe(0);
    expect(await waiting).toMatchObject({ done: true });
  });
});

describe('a socket route', () => {
  const opened = async (path: string): Promise<WebSocket> => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}${path}`);
    await once(socket, 'open');
    return socket;
  };

  test('takes the sockets of its path, and no others', async () => {
    const echo = await opened('/echo?any=query');
    echo.send('hello');
    expect(String(((await once(echo, 'message')) as [Buffer])[0])).toBe('hello');
    await expect(opened('/echo/other')).rejects.toThrow('400');
    echo.close();
  });

  test('is told when the server stops', async () => {
    const closed = once(await opened('/echo'), 'close');
    await server[Symbol.asyncDispose]();
    expect((await closed)[0]).toBe(1001);
  });
});

test('who breaks off an upgrade that is refused takes nobody along', async () => {
  const failures: unknown[] = [];
  const note = (error: unknown): void => void failures.push(error);
  process.prependListener('uncaughtException', note);
  for (let round = 0; round < 20; round++) {
    const socket = net.connect(server.port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    const head = 'GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n';
    await new Promise((resolve) => socket.write(head, resolve));
    socket.resetAndDestroy();
  }
  await fetch(`${origin}/health`);
  process.off('uncaughtException', note);
  expect(failures).toEqual([]);
});
