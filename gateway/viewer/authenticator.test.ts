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
const bearer = (key: Key, lifetimeMs = 60_000): string => `Bearer ${signAccessToken(viewer, key, lifetimeMs).token}`;

/** An authenticator over keys that a test may exchange, with a clock it sets. */
function anAuthenticator(first: JwkSet | Error) {
  const state = { keys: first, fetches: 0, now: 1_000_000 };
  const authenticate = createAuthenticator({
    async jwks() {
      state.fetches++;
      if (state.keys instanceof Error) throw state.keys;
      return state.keys;
    },
    now: () => state.now,
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

test('keys that cannot be fetched again stay in use; without any, a token cannot be checked', async () => {
  const { authenticate, state } = anAuthenticator({ keys: [one.jwk] });
  await authenticate(bearer(one));
  state.keys = new Error('down');
  state.now += 3_600_000;
  expect(await authenticate(bearer(one))).toMatchObject({ viewer });
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
