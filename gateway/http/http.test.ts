import { connect } from 'node:net';
import { runInNewContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import http from 'node:http';
import { SautiError } from '../../platform/errors';
import { waitFor } from '../../platform/testing/wait';
import type { Authenticate } from '../options';
import { aRunningShop, post, type Answer, type RunningShop } from '../testing/gateways';

const authenticate: Authenticate = async (authorization) => {
  if (authorization === undefined) return null;
  if (authorization === 'Bearer good')
    return {
      viewer: { userId: 'u1', sessionId: 's1', scopes: [] },
      issuedAt: new Date(),
      endsAt: new Date(Date.now() + 600_000),
    };
  throw new SautiError(
    'UNAUTHENTICATED',
    authorization === 'Bearer old' ? 'The access token has expired.' : 'The access token is not valid.',
  );
};

let running: RunningShop;
let origin: string;
beforeAll(async () => {
  running = await aRunningShop('in process', {
    authenticate,
    corsOrigins: ['https://app.example'],
    limits: { bodyIdleMs: 400 },
  });
  origin = new URL(running.url).origin;
});
afterAll(() => running[Symbol.asyncDispose]());

async function answer(
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; headers: Headers; json: Answer }> {
  const response = await fetch(origin + path, { redirect: 'manual', ...init });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    json: (response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : {}) as Answer,
  };
}

describe('a request that is no good gets a JSON error', () => {
  const json = { 'content-type': 'application/json' };
  test.each<[string, string, RequestInit, number]>([
    ['an API key in the URL', '/graphql?query=%7Bme%7Bid%7D%7D&api_key=x', { headers: json }, 400],
    [
      'an API key in the URL under another name',
      '/graphql?q=sauti_00000000_x',
      { method: 'POST', headers: json, body: '{"query":"{ me { id } }"}' },
      400,
    ],
    ['malformed JSON', '/graphql', { method: 'POST', headers: json, body: '{"query":' }, 400],
    ['invalid UTF-8', '/graphql', { method: 'POST', headers: json, body: Buffer.from([0x7b, 0xff, 0x7d]) }, 400],
    ['an empty body', '/graphql', { method: 'POST', headers: json, body: '' }, 400],
    ['an empty object', '/graphql', { method: 'POST', headers: json, body: '{}' }, 400],
    ['a batch', '/graphql', { method: 'POST', headers: json, body: '[{"query":"{ me { id } }"}]' }, 400],
    ['a query that is no string', '/graphql', { method: 'POST', headers: json, body: '{"query":{"a":1}}' }, 400],
    [
      'variables that are a list',
      '/graphql',
      { method: 'POST', headers: json, body: '{"query":"{ me { id } }","variables":[1]}' },
      400,
    ],
    [
      'a body over the limit',
      '/graphql',
      { method: 'POST', headers: json, body: JSON.stringify({ query: '{ me { id } }', x: 'x'.repeat(103_000) }) },
      413,
    ],
    [
      'text/plain (CSRF)',
      '/graphql',
      { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{"query":"{ me { id } }"}' },
      400,
    ],
    [
      'a form (CSRF)',
      '/graphql',
      { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'query={me{id}}' },
      400,
    ],
    ['a GET without a preflight header (CSRF)', '/graphql?query={me{id}}', {}, 400],
    ['XML', '/graphql', { method: 'POST', headers: { 'content-type': 'application/xml' }, body: '<a/>' }, 415],
    [
      'another charset',
      '/graphql',
      { method: 'POST', headers: { 'content-type': 'application/json; charset=utf-7' }, body: '{}' },
      415,
    ],
    [
      'a compressed body',
      '/graphql',
      { method: 'POST', headers: { ...json, 'content-encoding': 'gzip' }, body: 'x' },
      415,
    ],
    [
      'a mutation by GET',
      '/graphql?query=mutation{touchProducts}',
      { headers: { 'apollo-require-preflight': '1' } },
      405,
    ],
    ['another method', '/graphql', { method: 'PATCH' }, 405],
    ['another path', '/nothing', {}, 404],
    [
      'a subscription',
      '/graphql',
      { method: 'POST', headers: json, body: JSON.stringify({ query: 'subscription { quiet { n } }' }) },
      400,
    ],
    [
      'a subscription with a condition at its root',
      '/graphql',
      {
        method: 'POST',
        headers: json,
        body: JSON.stringify({
          query: 'subscription ($a: Boolean!) { quiet @skip(if: $a) { n } }',
          variables: { a: true },
        }),
      },
      400,
    ],
    [
      'an unknown operation name',
      '/graphql',
      {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ query: 'query A { me { id } }', operationName: '__proto__' }),
      },
      400,
    ],
    [
      'two operations and no name',
      '/graphql',
      { method: 'POST', headers: json, body: JSON.stringify({ query: 'query A { me { id } } query B { me { id } }' }) },
      400,
    ],
    [
      '@defer for a client that takes no parts',
      '/graphql',
      { method: 'POST', headers: json, body: JSON.stringify({ query: '{ me { ... @defer { name } } }' }) },
      406,
    ],
    [
      'a fragment cycle',
      '/graphql',
      {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ query: '{ me { ...a } } fragment a on User { ...b } fragment b on User { ...a }' }),
      },
      400,
    ],
    [
      '_entities through the gateway',
      '/graphql',
      { method: 'POST', headers: json, body: JSON.stringify({ query: '{ _service { sdl } }' }) },
      400,
    ],
  ])('%s', async (_, path, init, status) => {
    const result = await answer(path, init);
    expect(result.status).toBe(status);
    expect(result.json.errors?.[0]).toEqual(
      expect.objectContaining({
        message: expect.any(String),
        extensions: expect.objectContaining({ code: expect.any(String) }),
      }),
    );
    expect(JSON.stringify(result.json)).not.toMatch(/node_modules|stacktrace|\.ts:/);
  });

  test.each([
    ['garbage', 'GARBAGE\r\n\r\n', 400],
    ['a head over the limit', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['a target that is no path', 'GET http://evil.example/graphql HTTP/1.1\r\nhost: a\r\n\r\n', 400],
    [
      'both lengths',
      'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'a body that stalls',
      'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"que',
      408,
    ],
  ])('%s', async (_, text, status) => {
    const received = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write(text));
      let all = '';
      socket.on('data', (chunk) => {
        all += chunk.toString('utf8');
        if (all.includes('}]}')) socket.destroy();
      });
      socket.on('close', () => resolve(all));
      socket.on('error', reject);
    });
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(received).toContain('{"errors":[');
  });
});

describe('the viewer', () => {
  test('is who the token says', async () => {
    const { json } = await answer('/graphql?query={who}', {
      headers: { authorization: 'Bearer good', 'apollo-require-preflight': '1' },
    });
    expect(json).toEqual({ data: { who: 'u1' } });
  });

  test.each([
    ['old', 'expired'],
    ['bad', 'not valid'],
  ])('a token that is %s is a 401 that says so', async (token, text) => {
    running.shop.calls.length = 0;
    const result = await post(running.url, '{ who }', {}, { headers: { authorization: `Bearer ${token}` } });
    expect(result.status).toBe(401);
    expect(result.errors?.[0]).toEqual({
      message: expect.stringContaining(text),
      extensions: { code: 'UNAUTHENTICATED', requestId: expect.any(String) },
    });
    expect(running.shop.calls).toEqual([]);
  });
});

describe('limits', () => {
  const nested = (levels: number): string =>
    `{ me ${'{ partner '.repeat(levels - 2)} { id } ${'}'.repeat(levels - 2)} }`;
  const aliases = (count: number): string =>
    `{ ${Array.from({ length: count }, (_, index) => `a${index}: __typename`).join(' ')} }`;
  const bomb = (levels: number): string =>
    `{ me { ...f0 } } ${Array.from({ length: levels }, (_, index) => `fragment f${index} on User { partner { id } ${index + 1 < levels ? `...f${index + 1} ... { ...f${index + 1} }` : ''} }`).join(' ')}`;

  test.each([
    ['depth 15', nested(15), 200, undefined],
    ['depth 16', nested(16), 400, 'DEPTH_LIMIT'],
    ['30 aliases', aliases(30), 200, undefined],
    ['31 aliases', aliases(31), 400, 'ALIAS_LIMIT'],
    [
      '31 aliases by one fragment spread often',
      `{ me { ...f } b: me { ...f } c: me { ...f } d: me { ...f } } fragment f on User { ${Array.from({ length: 8 }, (_, index) => `x${index}: id`).join(' ')} }`,
      400,
      'ALIAS_LIMIT',
    ],
    ['fragments that double 11 times', bomb(11), 400, 'SELECTION_LIMIT'],
    ['fragments that double 40 times', bomb(40), 400, 'SELECTION_LIMIT'],
    ['2 100 tokens', `{ ${'__typename '.repeat(2_098)} }`, 400, 'GRAPHQL_PARSE_FAILED'],
  ])('%s', async (_, query, status, code) => {
    const result = await post(running.url, query);
    expect([result.status, result.errors?.[0]?.extensions.code]).toEqual([status, code]);
  });
});

describe('CORS', () => {
  const preflight = (from: string) =>
    answer('/graphql', {
      method: 'OPTIONS',
      headers: {
        origin: from,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-anything',
      },
    });

  test.each([
    'https://app.example',
    'https://studio.apollographql.com',
    'https://sandbox.embed.apollographql.com',
    'http://localhost:3000',
    'http://127.0.0.1:1',
  ])('%s may call in development', async (from) => {
    const { status, headers } = await preflight(from);
    expect([status, headers.get('access-control-allow-origin'), headers.get('access-control-allow-headers')]).toEqual([
      204,
      from,
      'content-type,x-anything',
    ]);
    const { headers: real } = await answer('/graphql', {
      method: 'POST',
      headers: { origin: from, 'content-type': 'application/json' },
      body: '{"query":"{ __typename }"}',
    });
    expect(real.get('access-control-allow-origin')).toBe(from);
    expect(real.get('vary')).toContain('Origin');
    expect(real.get('access-control-allow-credentials')).toBeNull();
  });

  test.each([
    'null',
    'https://evil.example',
    'http://app.example',
    'https://app.example.evil.example',
    'https://sub.app.example',
    'http://localhost.evil.example:80',
    'http://localhost',
  ])('%s may not', async (from) => {
    const isLocalhostWithoutPort = from === 'http://localhost';
    const { status, headers } = await preflight(from);
    expect(headers.get('access-control-allow-origin')).toBe(isLocalhostWithoutPort ? from : null);
    expect(status).toBe(isLocalhostWithoutPort ? 204 : 403);
  });

  test('in production only what is configured may call', async () => {
    await using production = await aRunningShop('in process', {
      development: false,
      corsOrigins: ['https://app.example'],
    });
    const allowed = async (from: string) =>
      (
        await fetch(production.url, {
          method: 'OPTIONS',
          headers: { origin: from, 'access-control-request-method': 'POST' },
        })
      ).headers.get('access-control-allow-origin');
    expect(await allowed('https://app.example')).toBe('https://app.example');
    expect(await allowed('https://studio.apollographql.com')).toBeNull();
    expect(await allowed('http://localhost:3000')).toBeNull();
  });
});

describe('pages', () => {
  test('the root leads to /graphql', async () => {
    const { status, headers } = await answer('/');
    expect([status, headers.get('location')]).toEqual([302, '/graphql']);
  });

  test('a browser gets Apollo Sandbox, told where subscriptions are', async () => {
    const response = await fetch(running.url, { headers: { accept: 'text/html,application/xhtml+xml' } });
    const html = await response.text();
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(html).toContain('embeddable-sandbox.cdn.apollographql.com');
    const script = /<script nonce="\w+">\s*(var initialEndpoint[\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
    let given: Record<string, unknown> = {};
    const window = {
      location: { href: `${running.url}?x=1` },
      EmbeddedSandbox: class {
        constructor(options: Record<string, unknown>) {
          given = options;
        }
      },
    };
    runInNewContext(script, { window });
    expect(given['initialSubscriptionEndpoint']).toBe(running.webSocketUrl);
    expect(given['runTelemetry']).toBe(false);
  });

  test('GraphiQL is one page without anything from elsewhere, gzipped when asked', async () => {
    const page = (headers: Record<string, string>) =>
      new Promise<{ headers: http.IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
        http
          .get(`${origin}/graphiql`, { headers }, (response) => {
            const parts: Buffer[] = [];
            response.on('data', (part: Buffer) => parts.push(part));
            response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(parts) }));
          })
          .on('error', reject);
      });
    const zipped = await page({ 'accept-encoding': 'gzip, br' });
    const plain = await page({});
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(gunzipSync(zipped.body).equals(plain.body)).toBe(true);
    const html = plain.body.toString('utf8');
    expect(html).not.toMatch(/<script[^>]+src=|<link[^>]+stylesheet/);
    expect(html).toContain('"subscriptionsProtocol":"WS"');
    const params = /connectionParams: (\(\) => \{[\s\S]*?\n\}) \}/.exec(html)?.[1] ?? '';
    const window = {
      localStorage: {
        getItem: (name: string) => (name === 'graphiql:headers' ? '{"Authorization":"Bearer x"}' : null),
      },
    };
    const connectionParams = runInNewContext(`(${params})`, { window, JSON }) as () => object;
    expect(connectionParams()).toEqual({ Authorization: 'Bearer x' });
  });

  test('health, readiness and byte routes', async () => {
    expect((await answer('/health')).json).toEqual({ status: 'ok' });
    expect((await answer('/ready')).json).toEqual({
      status: 'ready',
      subgraphs: { accounts: true, products: true, reviews: true },
    });
    expect(await (await fetch(`${origin}/products/bytes`)).text()).toBe('products');
  });

  test('readiness names the subgraph that does not answer', async () => {
    await using distributed = await aRunningShop('over HTTP');
    const ready = `${new URL(distributed.url).origin}/ready`;
    expect((await fetch(ready)).status).toBe(200);
    await distributed.kill('reviews');
    const state = await waitFor('the change', async () => {
      const response = await fetch(ready);
      return response.status === 503 && (response.json() as Promise<object>);
    });
    expect(state).toEqual({ status: 'not ready', subgraphs: { accounts: true, products: true, reviews: false } });
  });

  test('production has no Sandbox, no GraphiQL, no introspection and no suggestions', async () => {
    await using production = await aRunningShop('in process', { development: false });
    const base = new URL(production.url).origin;
    expect((await fetch(production.url, { headers: { accept: 'text/html' } })).status).toBe(400);
    expect((await fetch(`${base}/graphiql`)).status).toBe(404);
    expect((await post(production.url, '{ __schema { queryType { name } } }')).status).toBe(400);
    expect(JSON.stringify(await post(production.url, '{ mee { id } }'))).not.toContain('Did you mean');
  });

  test('answers carry security headers and are not cached', async () => {
    const { headers } = await answer('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ __typename }"}',
    });
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'cache-control': 'private, no-store',
    });
  });
});

describe('stopping', () => {
  test('finishes what is in flight and takes nothing new', async () => {
    const stopping = await aRunningShop('in process');
    const inFlight = post(stopping.url, '{ slow(ms: 300) }');
    await waitFor('the call', () => stopping.shop.calls.length === 1);
    const stopped = stopping.gateway.stop();
    await expect(post(stopping.url, '{ who }')).rejects.toThrow();
    expect(await inFlight).toEqual({ status: 200, data: { slow: 'slow' } });
    await stopped;
    expect(stopping.shop.aborted).toEqual([]);
  });

  test('cuts what is not finished after the grace', async () => {
    const stopping = await aRunningShop('in process', { limits: { stopGraceMs: 100 } });
    const inFlight = expect(post(stopping.url, '{ slow(ms: 60000) }')).rejects.toThrow();
    await waitFor('the call', () => stopping.shop.calls.length === 1);
    await stopping.gateway.stop();
    await inFlight;
    await waitFor('the abort', () => stopping.shop.aborted.length === 1);
  });
});
