import { WebSocket } from 'ws';
import { aRawSocket } from '../testing/socket-client';
import { anEdgeWorld, SIGNED_IN, TOKENS, type EdgeWorld } from '../testing/edge-world';
import { MODES } from '../testing/gateways';
import { BOUNDARY } from '../testing/multipart';

const APP = 'https://app.example';
const EVIL = 'https://evil.example';
const ACCESS = `__Host-sauti-access=${TOKENS.alice}`;
const REFRESH = '__Host-sauti-refresh=refresh-token-of-alice';
const DEVICE = '__Host-sauti-device=device-token-of-alice';
const JSON_TYPE = { 'content-type': 'application/json' };

/** A gateway whose sessions may be in cookies, for an app at another origin. */
const aWorld = (mode: (typeof MODES)[number] = 'in process', development = false): Promise<EdgeWorld> =>
  anEdgeWorld(mode, { cookieSessions: true, corsOrigins: [APP, 'http://localhost:*'], development });

interface Asked {
  status: number;
  body: { data?: Record<string, unknown> | null; errors?: { extensions: { code: string } }[] };
  text: string;
  headers: Headers;
  cookies: string[];
}

async function ask(url: string, query: string, headers: Record<string, string>): Promise<Asked> {
  const init = { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify({ query }) };
  const response = await fetch(url, init);
  const text = await response.text();
  const cookies = response.headers.getSetCookie();
  return { status: response.status, text, body: JSON.parse(text) as Asked['body'], headers: response.headers, cookies };
}

const inCookies = { origin: APP, 'sauti-session': 'cookie' };
const SIGN_IN = 'mutation { signIn(input: { email: "a@x.example" }) }';

describe.each(MODES)('a session in cookies, %s', (mode) => {
  let world: EdgeWorld;
  beforeAll(async () => void (world = await aWorld(mode)));
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => void world.executed.splice(0));

  test('signing in sets cookies that no script, no other site and no plain connection gets, and shows no token', async () => {
    const { status, text, cookies, headers } = await ask(world.url, SIGN_IN, inCookies);
    expect([status, text]).toEqual([200, '{"data":{"signIn":"in"}}\n']);
    expect(headers.get('cache-control')).toBe('private, no-store');
    const flags = 'Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=';
    expect(cookies).toEqual([
      expect.stringMatching(`^${ACCESS}; ${flags}(600|59\\d)$`),
      expect.stringMatching(`^${REFRESH}; ${flags}259\\d{4}$`),
      expect.stringMatching(`^${DEVICE}; ${flags}2592000$`),
    ]);
  });

  test('without the header there are neither cookies nor a word of them', async () => {
    const { text, cookies } = await ask(world.url, SIGN_IN, { origin: APP, cookie: `${REFRESH}; ${DEVICE}` });
    expect([text, cookies]).toEqual(['{"data":{"signIn":"in"}}\n', []]);
    expect(world.executed[0]!.identity.client).toMatchObject({ cookies: null });
  });

  test('the subgraph that signs in is told what the cookies hold and where from, the others nothing', async () => {
    const headers = { ...inCookies, cookie: `a=1; ${REFRESH}; ${DEVICE}`, 'user-agent': `phone${'x'.repeat(400)}` };
    await ask(world.url, 'mutation { refresh touch }', headers);
    await ask(world.url, '{ who other }', { ...headers, cookie: `${ACCESS}; ${REFRESH}` });
    const clientOf = (field: string): unknown => world.executed.find((each) => each.field === field)!.identity.client;
    expect(clientOf('refresh')).toEqual({
      ipAddress: '127.0.0.1',
      userAgent: `phone${'x'.repeat(295)}`,
      cookies: { refreshToken: 'refresh-token-of-alice', deviceToken: 'device-token-of-alice' },
    });
    expect([clientOf('touch'), clientOf('other'), clientOf('who')]).toEqual([undefined, undefined, undefined]);
  });

  test('the cookie is who asks', async () => {
    const { body } = await ask(world.url, '{ who }', { origin: APP, cookie: `other=1; ${ACCESS}` });
    expect(body).toEqual({ data: { who: 'usr_alice' } });
  });

  test('refreshing works with an access cookie that is not good any more; everything else is refused with 401', async () => {
    const stale = { origin: APP, cookie: `__Host-sauti-access=stale; ${REFRESH}` };
    expect((await ask(world.url, '{ who }', stale)).status).toBe(401);
    const { status, cookies } = await ask(world.url, 'mutation { refresh }', { ...stale, ...inCookies });
    expect([status, cookies.length]).toEqual([200, 2]);
    expect(cookies[0]).toContain(SIGNED_IN.accessToken);
  });

  test('signing out takes the cookies of the session away and leaves the device trusted, if the right subgraph says so', async () => {
    const { cookies } = await ask(world.url, 'mutation { signOut }', { ...inCookies, cookie: ACCESS });
    expect(cookies.map((cookie) => cookie.split(';')[0])).toEqual(['__Host-sauti-access=', '__Host-sauti-refresh=']);
    expect(cookies.every((cookie) => cookie.endsWith('Max-Age=0'))).toBe(true);
    // The subgraph `other` says of every answer that the session has ended.
    expect((await ask(world.url, 'mutation { touch }', { ...inCookies, cookie: ACCESS })).cookies).toEqual([]);
  });

  test('of several changes in one operation the last counts', async () => {
    const { cookies } = await ask(world.url, 'mutation { refresh signOut }', { ...inCookies, cookie: ACCESS });
    expect(cookies.map((cookie) => cookie.split(';')[0])).toEqual(['__Host-sauti-access=', '__Host-sauti-refresh=']);
  });
});

describe('requests that other sites cause', () => {
  let world: EdgeWorld;
  beforeAll(async () => void (world = await aWorld()));
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => void world.executed.splice(0));

  const QUERY = JSON.stringify({ query: 'mutation { change }' });
  const bodies = {
    'text/plain': QUERY,
    'application/x-www-form-urlencoded': `query=${encodeURIComponent('mutation { change }')}`,
    'multipart/form-data': multipartOf('text/plain'),
  };
  function multipartOf(type: string): string {
    const part = (name: string, body: string): string =>
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\ncontent-type: ${type}\r\n\r\n${body}\r\n`;
    return `${part('operations', QUERY)}${part('map', '{}')}--${BOUNDARY}--\r\n`;
  }
  const typeOf = (type: string): string => (type.startsWith('multipart') ? `${type}; boundary=${BOUNDARY}` : type);
  const cases = (Object.keys(bodies) as (keyof typeof bodies)[]).flatMap((type) =>
    (['GET', 'POST', 'multipart'] as const).flatMap((way) =>
      [true, false].map((hasCookie) => ({ type, way, hasCookie })),
    ),
  );

  test('there are 18 of them', () => expect(cases).toHaveLength(18));

  test.each(cases)('$type by $way, with a cookie: $hasCookie', async ({ type, way, hasCookie }) => {
    for (const origin of [EVIL, 'null', undefined]) {
      const headers = {
        'content-type': typeOf(way === 'multipart' ? 'multipart/form-data' : type),
        ...(origin === undefined ? {} : { origin }),
        ...(hasCookie ? { cookie: ACCESS } : {}),
      };
      const response =
        way === 'GET'
          ? await fetch(`${world.url}?query={who}`, { headers })
          : await fetch(world.url, {
              method: 'POST',
              headers,
              body: way === 'multipart' ? multipartOf(type) : bodies[type],
            });
      const text = await response.text();
      expect(response.status).toBeGreaterThanOrEqual(400);
      expect(response.status).toBeLessThan(500);
      expect(JSON.parse(text)).toMatchObject({ errors: [{ extensions: { code: expect.any(String) } }] });
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
    expect(world.executed).toEqual([]);
  });

  test.each([
    ['another site', { origin: EVIL, ...JSON_TYPE }],
    ['the same site without TLS', { origin: 'http://app.example', ...JSON_TYPE }],
    ['a host whose name begins alike', { origin: 'https://app.example.evil.example', ...JSON_TYPE }],
    ['a host below', { origin: 'https://x.app.example', ...JSON_TYPE }],
    ['an origin that any port of is allowed', { origin: 'http://localhost:3000', ...JSON_TYPE }],
    ['nowhere', { ...JSON_TYPE }],
    ['a frame without an origin', { origin: 'null', ...JSON_TYPE }],
    ['a link', { 'sec-fetch-site': 'cross-site', ...JSON_TYPE }],
    ['another host of the site', { 'sec-fetch-site': 'same-site', ...JSON_TYPE }],
    ['the address bar', { 'sec-fetch-site': 'none', ...JSON_TYPE }],
    ['a form of the app itself', { origin: APP, 'content-type': 'text/plain' }],
  ])('with cookies from %s: 403', async (_where, headers) => {
    const withCookies: Record<string, string>[] = [{ cookie: ACCESS }, { cookie: REFRESH, 'sauti-session': 'cookie' }];
    for (const extra of withCookies) {
      if ('content-type' in headers && headers['content-type'] === 'text/plain' && 'sauti-session' in extra) continue;
      const init = {
        method: 'POST',
        headers: { ...headers, ...extra },
        body: '{"query":"mutation { refresh change }"}',
      };
      expect((await fetch(world.url, init)).status).toBe(403);
    }
    expect(world.executed).toEqual([]);
  });

  test('the gateway’s own pages may, and say so by Origin or by Sec-Fetch-Site', async () => {
    const own = new URL(world.url).origin;
    const places: Record<string, string>[] = [{ origin: own }, { 'sec-fetch-site': 'same-origin' }];
    for (const where of places)
      expect((await ask(world.url, '{ who }', { ...where, cookie: ACCESS })).body.data).toEqual({ who: 'usr_alice' });
    const get = await fetch(`${world.url}?query={who}`, {
      headers: { 'sec-fetch-site': 'same-origin', 'apollo-require-preflight': '1', cookie: ACCESS },
    });
    expect(await get.json()).toEqual({ data: { who: 'usr_alice' } });
  });

  test('server-sent events: an EventSource of the app has its viewer, one of another site nothing', async () => {
    const url = `${world.url}?query=${encodeURIComponent('subscription { ticks }')}`;
    const open = (origin: string): Promise<Response> =>
      fetch(url, { headers: { origin, cookie: ACCESS, accept: 'text/event-stream' } });
    expect((await open(EVIL)).status).toBe(403);
    expect(world.executed).toEqual([]);
    await (await open(APP)).text();
    expect(world.executed[0]).toMatchObject({ field: 'ticks', identity: { viewer: { userId: 'usr_alice' } } });
  });

  test('an answer bit by bit cannot set cookies, so nothing is executed', async () => {
    for (const accept of ['text/event-stream', 'multipart/mixed;deferSpec=20220824, application/json']) {
      const query = 'mutation { refresh ... @defer { touch } }';
      const { status } = await ask(world.url, query, { ...inCookies, accept, cookie: REFRESH });
      expect(status).toBe(406);
    }
    expect(world.executed).toEqual([]);
  });

  test('a renewal with cookies is protected like everything else', async () => {
    const renew = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${world.url}/renew`, {
        method: 'POST',
        headers: { ...headers, cookie: ACCESS },
        body: '{"connectionId":"none"}',
      });
    expect((await renew({ ...JSON_TYPE })).status).toBe(403);
    expect((await renew({ origin: APP, ...JSON_TYPE })).status).toBe(404);
  });
});

describe('WebSockets with cookies', () => {
  let world: EdgeWorld;
  beforeAll(async () => void (world = await aWorld()));
  afterAll(() => world[Symbol.asyncDispose]());

  const refusal = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve) => {
      const socket = new WebSocket(world.url.replace('http', 'ws'), 'graphql-transport-ws', { headers });
      socket.on('unexpected-response', (request, response) => {
        request.destroy();
        resolve(response.statusCode);
      });
      socket.on('open', () => resolve(101));
      socket.on('error', () => {});
    });
  const viewerOf = async (headers: Record<string, string>, init?: object): Promise<unknown> => {
    const raw = await aRawSocket(world.url.replace('http', 'ws'), { headers, init });
    raw.send({ id: '1', type: 'subscribe', payload: { query: '{ who }' } });
    const { payload } = await raw.receive('next', '1');
    raw.socket.terminate();
    return (payload as { data: { who: unknown } }).data.who;
  };

  test.each([
    ['another site', { origin: EVIL }],
    ['nowhere', {}],
    ['a frame without an origin', { origin: 'null' }],
  ])('from %s: 403', async (_where, headers) => {
    expect(await refusal({ ...headers, cookie: ACCESS })).toBe(403);
  });

  test('the app’s is its user’s; a page that may not send cookies says who it is, or is nobody', async () => {
    expect(await viewerOf({ origin: APP, cookie: ACCESS })).toBe('usr_alice');
    expect(await viewerOf({ origin: 'http://localhost:3000', cookie: ACCESS })).toBeNull();
    expect(await viewerOf({ origin: APP, cookie: ACCESS }, { authorization: TOKENS.bob })).toBe('usr_bob');
  });

  test('mutations know where from, and change no cookies', async () => {
    world.executed.splice(0);
    const headers = { origin: APP, cookie: `${ACCESS}; ${REFRESH}`, 'sauti-session': 'cookie' };
    const raw = await aRawSocket(world.url.replace('http', 'ws'), { headers, init: undefined });
    raw.send({ id: '1', type: 'subscribe', payload: { query: 'mutation { refresh }' } });
    await raw.receive('complete', '1');
    expect(world.executed[0]!.identity.client).toEqual({ ipAddress: '127.0.0.1', userAgent: null, cookies: null });
    raw.socket.terminate();
  });
});

describe('credentials', () => {
  let world: EdgeWorld;
  beforeAll(async () => void (world = await aWorld()));
  afterAll(() => world[Symbol.asyncDispose]());

  test.each([
    ['the header and another cookie', { authorization: `Bearer ${TOKENS.bob}`, cookie: ACCESS, origin: APP }, 400],
    ['the header and the same cookie', { authorization: `Bearer ${TOKENS.alice}`, cookie: ACCESS }, 200],
    ['the header and an API key', { authorization: `Bearer ${TOKENS.bob}`, 'x-api-key': 'sauti_0123abcd_key' }, 400],
    ['two cookies of one name', { cookie: `${ACCESS}; __Host-sauti-access=other`, origin: APP }, 400],
    ['something else as API key', { 'x-api-key': TOKENS.alice }, 401],
    ['an API key that does not work', { 'x-api-key': 'sauti_0123abcd_key' }, 401],
    ['a cookie of a similar name', { cookie: `sauti-access=${TOKENS.alice}; __Host-sauti-accessx=1` }, 200],
  ])('%s', async (_case, headers, status) => {
    expect((await ask(world.url, '{ who }', headers as Record<string, string>)).status).toBe(status);
  });

  test('a page that is only visited ignores cookies', async () => {
    await using development = await aWorld('in process', true);
    const headers = { accept: 'text/html', cookie: ACCESS, 'sec-fetch-site': 'none' };
    const page = await fetch(development.url, { headers });
    expect([page.status, page.headers.get('content-security-policy')]).toEqual([200, "frame-ancestors 'none'"]);
  });
});

describe('CORS and headers', () => {
  test('credentials are for exact origins of the configuration', async () => {
    await using world = await aWorld('in process', true);
    const allowed = async (origin: string): Promise<(string | null)[]> => {
      const { headers } = await ask(world.url, '{ __typename }', { origin });
      return [headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')];
    };
    expect(await allowed(APP)).toEqual([APP, 'true']);
    for (const origin of ['http://localhost:3000', 'https://studio.apollographql.com'])
      expect(await allowed(origin)).toEqual([origin, null]);
    for (const origin of [EVIL, 'null', 'http://app.example']) expect(await allowed(origin)).toEqual([null, null]);
  });

  test('without sessions in cookies no cookie counts and no credentials are allowed', async () => {
    await using world = await anEdgeWorld('in process', { corsOrigins: [APP] });
    const { body, headers, cookies } = await ask(world.url, '{ who }', { ...inCookies, cookie: ACCESS });
    expect([body, headers.get('access-control-allow-credentials'), cookies]).toEqual([
      { data: { who: null } },
      null,
      [],
    ]);
  });

  test('answers tell browsers what not to do with them, errors are never cached', async () => {
    await using world = await anEdgeWorld('in process', { trustedProxies: ['loopback'] });
    const base = new URL(world.url).origin;
    for (const path of ['/graphql', '/nothing', '/health']) {
      const { headers } = await fetch(base + path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers.get('cache-control')).toContain('no-store');
      expect(headers.get('strict-transport-security')).toBeNull();
    }
    const secure = await fetch(`${base}/health`, { headers: { 'x-forwarded-proto': 'https' } });
    expect(secure.headers.get('strict-transport-security')).toMatch(/^max-age=31536000/);
  });
});
