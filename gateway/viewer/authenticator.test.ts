import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signAccessToken, type JwkSet, type VerificationKey } from '../../platform/identity/access-token';
import { waitFor } from '../../platform/testing/wait';
import { createAuthenticator } from './authenticator';
import { fetchJwks } from './fetch-jwks';

interface Key {
  kid: string;
  privateKeyPem: string;
  jwk: VerificationKey;
}

function aKey(kid: string): Key {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' } as VerificationKey;
  return { kid, privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string, jwk };
}

const viewer = { userId: 'usr_1', sessionId: 'ses_1', scopes: ['user'] };
/** When the clock of the tests begins. */
const START = Date.parse('2026-11-26T12:00:00Z');
const bearer = (key: Key, lifetimeMs = 60_000, at = START): string =>
  `Bearer ${signAccessToken(viewer, key, lifetimeMs, new Date(at)).token}`;

/** An authenticator over keys that a test may exchange, with a clock it sets. */
function anAuthenticator(first: JwkSet | Error, cacheSize = 100) {
  const state = { keys: first, fetches: 0, now: START };
  const authenticate = createAuthenticator({
    async jwks() {
      state.fetches++;
      if (state.keys instanceof Error) throw state.keys;
      return state.keys;
    },
    clock: () => new Date(state.now),
    cacheSize,
  });
  return { state, authenticate };
}

const one = aKey('one');
const two = aKey('two');

test('no header is nobody, and costs no fetch', async () => {
  const { authenticate, state } = anAuthenticator(new Error('down'));
  expect(await authenticate(undefined)).toBeNull();
  expect(state.fetches).toBe(0);
});

test('a good token is its viewer, and the keys are fetched once', async () => {
  const { authenticate, state } = anAuthenticator({ keys: [one.jwk] });
  const results = await Promise.all([authenticate(bearer(one)), authenticate(bearer(one)), authenticate(bearer(one))]);
  expect(results.map((token) => token?.viewer)).toEqual([viewer, viewer, viewer]);
  expect(await authenticate(bearer(one).replace('Bearer', 'bearer'))).toMatchObject({ viewer });
  expect(state.fetches).toBe(1);
});

test.each([
  ['an expired token', bearer(one, -120_000), 'expired'],
  ['a token of an unknown key', bearer(two), 'not valid'],
  ['a changed token', `${bearer(one).slice(0, -8)}AAAAAAAA`, 'not valid'],
  ['another scheme', 'Basic YTpi', 'Bearer'],
  ['no token', 'Bearer ', 'Bearer'],
  ['two tokens', 'Bearer a b', 'Bearer'],
  ['something else', 'Bearer nonsense', 'not valid'],
])('%s is UNAUTHENTICATED and says so', async (_, authorization, text) => {
  const { authenticate } = anAuthenticator({ keys: [one.jwk] });
  await expect(authenticate(authorization)).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.stringContaining(text),
  });
});

test('an unknown key id fetches the keys again, at most once in 30 seconds', async () => {
  const { authenticate, state } = anAuthenticator({ keys: [one.jwk] });
  await authenticate(bearer(one));
  state.keys = { keys: [one.jwk, two.jwk] };
  for (let index = 0; index < 5; index++)
    await expect(authenticate(bearer(two))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(state.fetches).toBe(1);
  state.now += 31_000;
  expect(await authenticate(bearer(two))).toMatchObject({ viewer });
  expect(state.fetches).toBe(2);
});

test('a token is verified once, and its answer is the same object until it ends, to the millisecond', async () => {
  const { authenticate, state } = anAuthenticator({ keys: [one.jwk] });
  const token = bearer(one);
  const first = await authenticate(token);
  state.now = first!.endsAt.getTime() - 1;
  expect(await authenticate(token)).toBe(first);
  state.now += 1;
  await expect(authenticate(token)).rejects.toMatchObject({ message: expect.stringContaining('expired') });
});

test('a clock that jumps brings no remembered token to life, and takes none away for good', async () => {
  const { authenticate, state } = anAuthenticator({ keys: [one.jwk] });
  const token = bearer(one);
  const [hour, years] = [3_600_000, 10 * 365 * 24 * 3_600_000];
  for (const jump of [hour, -hour, years, -years, -31_000, 91_000]) {
    await authenticate(token);
    state.now = START + jump;
    await expect(authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    state.now = START;
  }
  expect(await authenticate(token)).toMatchObject({ viewer });
});

test('a token is good no longer when its key is not published any more, which is seen within a minute', async () => {
  const { authenticate, state } = anAuthenticator({ keys: [one.jwk, two.jwk] });
  const tokens = [bearer(one, 600_000), bearer(two, 600_000)];
  for (const token of tokens) await authenticate(token);
  state.keys = { keys: [two.jwk] };
  state.now += 60_001;
  // Nobody waits for the fetch.
  expect(await authenticate(tokens[0])).toMatchObject({ viewer });
  await expect(authenticate(tokens[0])).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await authenticate(tokens[1])).toMatchObject({ viewer });
  expect(state.fetches).toBe(2);
});

test('after a long time without callers the keys are fetched before a remembered token is good', async () => {
  const { authenticate, state } = anAuthenticator({ keys: [one.jwk] });
  const token = bearer(one, 3_000_000);
  await authenticate(token);
  state.keys = { keys: [two.jwk] };
  state.now += 600_001;
  await expect(authenticate(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('of more tokens than are remembered those longest unused are verified again', async () => {
  const { authenticate, state } = anAuthenticator({ keys: [one.jwk] }, 2);
  const tokens = [0, 1, 2].map((n) => bearer(one, 60_000, START + n));
  const first = await Promise.all(tokens.slice(0, 2).map((token) => authenticate(token)));
  expect(await authenticate(tokens[0])).toBe(first[0]);
  await authenticate(tokens[2]);
  expect(await authenticate(tokens[0])).toBe(first[0]);
  expect(await authenticate(tokens[1])).not.toBe(first[1]);
  expect(state.fetches).toBe(1);
});

test('what a header says causes no fetch, whatever it says', async () => {
  const { authenticate, state } = anAuthenticator({ keys: [one.jwk] });
  await authenticate(bearer(one));
  const forged = (header: object): string => {
    const [, payload, signature] = bearer(one).slice('Bearer '.length).split('.');
    return `Bearer ${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`;
  };
  state.now += 29_000;
  const kids = ['../../dev/null', "' or 1=1 --", 'k'.repeat(3_000), ['one'], 'http://127.0.0.1:9/', null, undefined];
  const others = { jku: 'http://127.0.0.1:9/', x5u: 'http://127.0.0.1:9/', jwk: one.jwk };
  for (const kid of kids)
    await expect(authenticate(forged({ alg: 'ES256', typ: 'at+jwt', kid }))).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  await expect(authenticate(forged({ alg: 'ES256', typ: 'at+jwt', kid: 'one', ...others }))).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  });
  expect(state.fetches).toBe(1);
});

test('keys that cannot be fetched again stay in use; without any, a token cannot be checked', async () => {
  const { authenticate, state } = anAuthenticator({ keys: [one.jwk] });
  await authenticate(bearer(one));
  state.keys = new Error('down');
  state.now += 3_600_000;
  expect(await authenticate(bearer(one, 60_000, state.now))).toMatchObject({ viewer });
  const { authenticate: without } = anAuthenticator(new Error('down'));
  await expect(without(bearer(one))).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
});

test('a key set is fetched over HTTP; a redirect, an error or another document is refused', async () => {
  let isEndlessClosed = false;
  const server = createServer((request, response) => {
    if (request.url === '/good') response.end(JSON.stringify({ keys: [one.jwk] }));
    else if (request.url === '/redirect') response.writeHead(302, { location: '/good' }).end();
    else if (request.url === '/endless') {
      const send = (): void =>
        void (response.write(' '.repeat(10_000)) ? setImmediate(send) : response.once('drain', send));
      response.once('close', () => (isEndlessClosed = true));
      send();
    } else if (request.url === '/other') response.end('{"keys":1}');
    else response.writeHead(500).end('{"keys":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    expect(await fetchJwks(`${base}/good`)).toEqual({ keys: [one.jwk] });
    for (const path of ['/redirect', '/other', '/broken']) await expect(fetchJwks(base + path)).rejects.toThrow();
    await expect(fetchJwks(`${base}/endless`)).rejects.toThrow('larger than 65536 bytes');
    await waitFor('the endless answer to be left', () => isEndlessClosed);
  } finally {
    server.close();
  }
});
