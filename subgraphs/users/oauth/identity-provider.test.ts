import { createHash, createHmac, generateKeyPairSync } from 'node:crypto';
import type { Logger } from '../../../platform/logger';
import { freePort } from '../../../platform/testing/free-port';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';
import { codesOf, complete, REDIRECT_URI, start } from './testing/calls';
import { aStrangeProvider, CLIENT, rs256, type Strangeness, type StrangeProvider } from './testing/strange-provider';

let test_: TestPlatform;
let provider: StrangeProvider;
/** Lines of the log. */
const logged: string[] = [];

const note = (details: object, message: string): void => void logged.push(JSON.stringify({ message, ...details }));
const logger: Logger = { debug: note, info: note, warn: note, error: note, child: () => logger };

beforeAll(async () => {
  test_ = await openTestPlatform({ logger });
  provider = await aStrangeProvider();
});
beforeEach(() => {
  provider.behave({});
  provider.tokenRequests.length = 0;
  logged.length = 0;
});
afterAll(async () => {
  await provider[Symbol.asyncDispose]();
  await test_[Symbol.asyncDispose]();
});

const usersWith = (issuer: string): UsersSubgraph =>
  createUsersSubgraph(test_.platform, () => new Date(), {
    oauth: { providers: [{ id: 'sample', name: 'Sample', issuer, ...CLIENT }], redirectUris: [REDIRECT_URI] },
  });

/** Signs in at a provider that behaves so, after an honest beginning; the ID token has the right nonce unless it is strange. */
async function signIn(strangeness: Strangeness = {}) {
  provider.behave(strangeness.metadata ? { metadata: strangeness.metadata } : {});
  const users = usersWith(provider.issuer);
  const begun = await start(users);
  const sent = new URL(begun.authorizationUrl).searchParams;
  provider.behave({ ...strangeness, claims: { nonce: sent.get('nonce'), ...strangeness.claims } });
  const completed = await complete(users, { state: begun.state, code: 'code-of-the-provider' });
  return { sent, completed };
}

test('asks for the code with PKCE, state and nonce, and redeems it with the secret and the proof key', async () => {
  const { sent, completed } = await signIn();
  expect(completed.errors).toEqual([]);
  expect(Object.fromEntries(sent)).toMatchObject({
    response_type: 'code',
    client_id: 'sauti',
    redirect_uri: REDIRECT_URI,
    scope: 'openid email profile',
    code_challenge_method: 'S256',
  });
  const [{ authorization, form }] = provider.tokenRequests as [StrangeProvider['tokenRequests'][0]];
  expect(authorization).toBe(`Basic ${Buffer.from('sauti:p%25%3Ass+word').toString('base64')}`);
  const { code_verifier: verifier, ...rest } = Object.fromEntries(form);
  expect(rest).toEqual({ grant_type: 'authorization_code', code: 'code-of-the-provider', redirect_uri: REDIRECT_URI });
  expect(createHash('sha256').update(verifier!).digest('base64url')).toBe(sent.get('code_challenge'));
});

test('sends the provider no code that is longer than any of a provider', async () => {
  const users = usersWith(provider.issuer);
  for (const [code, sent] of [
    ['x'.repeat(4_096), 1],
    ['x'.repeat(4_097), 1],
  ] as const) {
    const { state } = await start(users);
    expect(codesOf(await complete(users, { state, code }))).toEqual(['INVALID_TOKEN code']);
    expect(provider.tokenRequests).toHaveLength(sent);
  }
});

test('sends the secret in the form to a provider that takes it only there', async () => {
  const { completed } = await signIn({ metadata: { token_endpoint_auth_methods_supported: ['client_secret_post'] } });
  expect(completed.errors).toEqual([]);
  const [{ authorization, form }] = provider.tokenRequests as [StrangeProvider['tokenRequests'][0]];
  expect([authorization, form.get('client_secret')]).toEqual([undefined, CLIENT.clientSecret]);
});

test('takes an address that is verified in words, and asks for one that the ID token leaves out', async () => {
  const sub = 'neema';
  expect(
    (await signIn({ claims: { sub, email: 'neema@sauti.example', email_verified: 'true' } })).completed.errors,
  ).toEqual([]);
  const userinfo = { sub: 'zuri', email: 'zuri@sauti.example', email_verified: true };
  const { completed } = await signIn({ claims: { sub: 'zuri', email: undefined }, userinfo });
  expect(completed.viewer!.email).toBe('zuri@sauti.example');
});

const stranger = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
const nowS = Math.floor(Date.now() / 1_000);

test.each<[what: string, strangeness: Strangeness]>([
  ['for another app', { claims: { aud: 'other' } }],
  ['for several apps and asked for by another', { claims: { aud: ['sauti', 'other'], azp: 'other' } }],
  ['of another issuer', { claims: { iss: 'https://attacker.example' } }],
  ['of another sign-in', { claims: { nonce: 'of another sign-in' } }],
  ['of no sign-in', { claims: { nonce: undefined } }],
  ['that has expired', { claims: { iat: nowS - 1_000, exp: nowS - 400 } }],
  ['without an end', { claims: { exp: undefined } }],
  ['of the future', { claims: { nbf: nowS + 400 } }],
  ['without a subject', { claims: { sub: undefined } }],
  ['signed by somebody else', { sign: rs256(stranger) }],
  ['signed with an unknown key', { header: { kid: 'key-2' } }],
  ['without a signature', { header: { alg: 'none' }, sign: () => '' }],
  [
    'signed with our own secret',
    {
      header: { alg: 'HS256' },
      sign: (input) => createHmac('sha256', CLIENT.clientSecret).update(input).digest('base64url'),
    },
  ],
  [
    'whose userinfo is of somebody else',
    { claims: { email: undefined }, userinfo: { sub: 'baraka', email: 'b@c.example' } },
  ],
  ['that is none', { token: { status: 200, body: '{"access_token":"a","token_type":"Bearer"}' } }],
  ['whose code is refused', { token: { status: 400, body: '{"error":"invalid_grant"}' } }],
])('an ID token %s proves nothing', async (_what, strangeness) => {
  const before = await test_.platform.database.prisma.user.count();
  const { completed } = await signIn({ ...strangeness, claims: { sub: 'nobody', ...strangeness.claims } });
  expect(completed).toMatchObject({ viewer: null, session: null, tokens: null });
  expect(codesOf(completed)).toEqual(['INVALID_TOKEN code']);
  expect(await test_.platform.database.prisma.user.count()).toBe(before);
});

describe('a provider that', () => {
  test.each<[what: string, strangeness: Strangeness]>([
    ['does not take our credentials', { token: { status: 401, body: '{"error":"invalid_client"}' } }],
    ['fails', { token: { status: 500, body: 'at Object.<anonymous> (/srv/app.js:1:1)', type: 'text/plain' } }],
    ['answers with a page', { token: { status: 200, body: '<html>', type: 'text/html' } }],
    ['answers with half a text', { token: { status: 200, body: '{"access_' } }],
  ])('%s is to be tried again, and is in the log', async (_what, strangeness) => {
    const { completed } = await signIn(strangeness);
    expect(completed.errors).toEqual([
      {
        code: 'INTERNAL',
        message: 'Sample cannot be asked at the moment. Try again later.',
        path: null,
        retryAfterMs: 5_000,
      },
    ]);
    expect(logged.join('')).toContain('an identity provider cannot be used');
  });

  test('is away, or says it is another one, is asked again the next time', async () => {
    const port = await freePort();
    const users = usersWith(`http://127.0.0.1:${port}`);
    for (let time = 0; time < 2; time++) {
      const begun = await start(users);
      expect(begun).toMatchObject({ authorizationUrl: null, errors: [{ code: 'INTERNAL', retryAfterMs: 5_000 }] });
    }
    const later = usersWith(provider.issuer);
    provider.behave({ metadata: { issuer: 'https://attacker.example' } });
    expect(codesOf(await start(later))).toEqual(['INTERNAL']);
    provider.behave({});
    expect(codesOf(await start(later))).toEqual([]);
  });
});

test('neither code, token nor secret gets into the log', async () => {
  for (const token of [
    undefined,
    { status: 400, body: '{"error":"invalid_grant","error_description":"secret-of-the-provider"}' },
    { status: 401, body: '{"error":"invalid_client","error_description":"secret-of-the-provider"}' },
    { status: 500, body: 'secret-of-the-provider' },
  ])
    await signIn({ ...(token ? { token } : {}), claims: { aud: 'other' } });
  const [{ form }] = provider.tokenRequests as [StrangeProvider['tokenRequests'][0]];
  const lines = logged.join('');
  expect(lines).toContain('identity provider');
  for (const secret of [form.get('code')!, form.get('code_verifier')!, CLIENT.clientSecret, 'secret-of-the-provider'])
    expect(lines).not.toContain(secret);
});
