import { createAuthenticator } from '../../../gateway/viewer/authenticator';
import { hashOfApiKey } from '../../../platform/identity/api-key';
import { deriveCallKey, signCallIdentity, verifyCallIdentity } from '../../../platform/identity/call-identity';
import { newId } from '../../../platform/ids';
import { deriveDownloadKey, signDownload, verifyDownload } from '../../../platform/objects/signed-url';
import { ask } from '../../../platform/testing/calls';
import { IngestTokens } from '../../media/live/ingest/ingest-token';
import { PASSWORD, TestAccounts } from '../accounts/testing';
import { aStrangeProvider, CLIENT, type StrangeProvider } from '../oauth/testing/strange-provider';
import { REDIRECT_URI, start } from '../oauth/testing/calls';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';
import { codeOfApp } from '../testing';

const NEW_PASSWORD = 'eleven brown herons';
const LIVE_ID = newId('liv');
const FILE_ID = newId('fil');
const BODY = '{}';

let app: TestAccounts;
let provider: StrangeProvider;
let users: UsersSubgraph;
let email: string;
/** A real one of each kind, of one account. */
let tokens: Record<string, string>;
/** Where each kind is used: whether it is taken there. */
let places: Record<string, (token: string) => Promise<boolean>>;

beforeAll(async () => {
  app = await TestAccounts.open();
  provider = await aStrangeProvider();
  users = createUsersSubgraph(app.test.platform, () => new Date(), {
    oauth: {
      providers: [{ id: 'sample', name: 'Sample', issuer: provider.issuer, ...CLIENT }],
      redirectUris: [REDIRECT_URI],
    },
  });
  tokens = await oneOfEach();
  places = allPlaces();
});
afterAll(async () => {
  await provider[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

async function answer<Result>(query: string, input: object, viewer: Parameters<typeof ask>[1] = null): Promise<Result> {
  const { data, errors } = await ask(users, viewer, query, { input });
  if (errors) throw new Error(JSON.stringify(errors));
  return data!['result'] as Result;
}

/** A good one: it stays so until a sign-in has used it. */
let recoveryCode: string;
async function oneOfEach(): Promise<Record<string, string>> {
  email = 'amina@mwanga.example';
  const signedUp = await app.signUp(email);
  const viewer = await app.viewerOf(signedUp);
  await app.call('sendEmailVerification', {}, { viewer });
  await app.call('requestPasswordReset', { email });
  const ENROLL = 'mutation ($input: EnrollTotpInput!) { result: enrollTotp(input: $input) { factorId secret } }';
  const CONFIRM = 'mutation ($input: ConfirmTotpInput!) { result: confirmTotp(input: $input) { recoveryCodes } }';
  const { factorId, secret } = await answer<{ factorId: string; secret: string }>(ENROLL, { name: 'Phone' }, viewer);
  const code = codeOfApp(secret, Date.now());
  const { recoveryCodes } = await answer<{ recoveryCodes: string[] }>(CONFIRM, { factorId, code }, viewer);
  recoveryCode = recoveryCodes[1]!;
  const VERIFY = 'mutation ($input: VerifyMfaInput!) { result: verifyMfa(input: $input) { deviceToken } }';
  const first = (await app.signIn(email)).mfa!.token;
  const verified = { token: first, code: recoveryCodes[0]!, trustDevice: true };
  const { deviceToken } = await answer<{ deviceToken: string }>(VERIFY, verified);
  const KEY = 'mutation ($input: CreateApiKeyInput!) { result: createApiKey(input: $input) { key } }';
  const { key } = await answer<{ key: string }>(KEY, { name: 'Robot', scopes: ['media:read'] }, viewer);
  const link = new URL(
    signDownload(deriveDownloadKey(app.test.platform.secret), 'http://localhost', {
      ...{ objectId: FILE_ID, disposition: 'ATTACHMENT', expiresAt: new Date(Date.now() + 3_600_000) },
    }),
  );
  linkOf = (signature) => {
    const changed = new URL(link);
    changed.searchParams.set('signature', signature);
    return changed;
  };
  return {
    access: signedUp.tokens!.accessToken,
    refresh: signedUp.tokens!.refreshToken,
    verification: await app.tokenTo(email, 'email.verification'),
    reset: await app.tokenTo(email, 'password.reset'),
    challenge: (await app.signIn(email)).mfa!.token,
    device: deviceToken,
    'API key': key,
    'download signature': link.searchParams.get('signature')!,
    'live ingest': new IngestTokens(app.test.platform.secret).make(LIVE_ID).token,
    'OAuth state': (await start(users)).state,
    'identity of a call': signCallIdentity(callKey(), 'users', { viewer, requestId: 'r' }, BODY),
  };
}

const callKey = () => deriveCallKey(app.test.platform.secret, 'users');
let linkOf: (signature: string) => URL;

function allPlaces(): typeof places {
  const { secret } = app.test.platform;
  const authenticate = createAuthenticator({ jwks: () => users.jwks() });
  const taken =
    (mutation: string, type: string, input: (token: string) => object) =>
    async (token: string): Promise<boolean> => {
      const query = `mutation ($input: ${type}!) { result: ${mutation}(input: $input) { errors { code } } }`;
      return (await answer<{ errors: object[] }>(query, input(token))).errors.length === 0;
    };
  return {
    access: async (token) => (await authenticate(`Bearer ${token}`).catch(() => null)) !== null,
    'API key': async (token) => (await users.verifyApiKey(hashOfApiKey(token))) !== null,
    'download signature': async (token) => verifyDownload(deriveDownloadKey(secret), linkOf(token)) !== null,
    'live ingest': async (token) => new IngestTokens(secret).numberOf(LIVE_ID, token) !== null,
    'identity of a call': async (token) => verifyCallIdentity(callKey(), 'users', `Bearer ${token}`, BODY) !== null,
    device: async (deviceToken) => {
      const query = 'mutation ($input: SignInInput!) { result: signIn(input: $input) { tokens { accessToken } } }';
      const signedIn = await answer<{ tokens: object | null }>(query, { email, password: PASSWORD, deviceToken });
      return signedIn.tokens !== null;
    },
    // From here on a right one changes something: those of the mails last, as they end the others.
    refresh: taken('refreshSession', 'RefreshSessionInput', (refreshToken) => ({ refreshToken })),
    challenge: taken('verifyMfa', 'VerifyMfaInput', (token) => ({ token, code: recoveryCode })),
    'OAuth state': async (state) => {
      const before = provider.tokenRequests.length;
      await taken('completeOAuth', 'CompleteOAuthInput', (s) => ({ state: s, code: 'c' }))(state);
      return provider.tokenRequests.length > before;
    },
    verification: taken('verifyEmail', 'TokenInput', (token) => ({ token })),
    reset: taken('resetPassword', 'ResetPasswordInput', (token) => ({ token, newPassword: NEW_PASSWORD })),
  };
}

test('a token of each kind is refused in the place of every other kind, and taken in its own afterwards', async () => {
  expect(Object.keys(places).sort()).toEqual(Object.keys(tokens).sort());
  const wronglyTaken: string[] = [];
  for (const [place, isTaken] of Object.entries(places)) {
    for (const [kind, token] of Object.entries(tokens)) {
      if (kind !== place && (await isTaken(token))) wronglyTaken.push(`${kind} as ${place}`);
      await app.test.platform.database.prisma.attemptCount.deleteMany();
    }
  }
  expect(wronglyTaken).toEqual([]);
  for (const [place, isTaken] of Object.entries(places))
    expect([place, await isTaken(tokens[place]!)]).toEqual([place, true]);
});
