import { verifyAccessToken } from '../../../platform/identity/access-token';
import { newId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { ask, askFor } from '../../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { createSeal } from '../../../platform/seal';
import { waitFor } from '../../../platform/testing/wait';
import { viewerTopic } from '../events';
import { newTotpSecret } from '../factors/totp';
import { lockUser } from '../records';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';
import { codeOfApp } from '../testing';
import { anAccount } from '../testing/an-account';
import { codesOf, complete, REDIRECT_URI, start, type Completed } from './testing/calls';
import { aRealProvider, CLIENT_ID, CLIENT_SECRET, type RealProvider } from './testing/real-provider';

const HOUR_MS = 3_600_000;

let test_: TestPlatform;
let users: UsersSubgraph;
let provider: RealProvider;
/** What the subgraph takes for now, moved on by a test. */
let clockMs: number;
let people = 0;

beforeAll(async () => {
  [test_, provider] = await Promise.all([openTestPlatform(), aRealProvider([REDIRECT_URI])]);
  const settings = { issuer: provider.issuer, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET };
  const providers = ['sample', 'other'].map((id) => ({ id, name: id.toUpperCase(), ...settings }));
  users = createUsersSubgraph(test_.platform, () => new Date(clockMs), {
    oauth: { providers, redirectUris: [REDIRECT_URI] },
  });
});
beforeEach(() => {
  clockMs = Date.now();
});
afterAll(async () => {
  await provider[Symbol.asyncDispose]();
  await test_[Symbol.asyncDispose]();
});

/** Somebody the provider knows: their name there and their address. */
async function somebody(claims: object = {}): Promise<{ id: string; email: string }> {
  const id = `person-${++people}`;
  const email = `${id}@sauti.example`;
  await provider.knows(id, { email, email_verified: true, name: 'Amina Otieno', ...claims });
  return { id, email };
}
/** What arrives at the redirect address when that person has signed in. */
async function answerOf(id: string, input: object = {}, viewer: Viewer | null = null): Promise<URLSearchParams> {
  return provider.signIn((await start(users, input, viewer)).authorizationUrl, id);
}
const signIn = async (id: string, input: object = {}): Promise<Completed> =>
  complete(users, { ...Object.fromEntries(await answerOf(id)), ...input });
const link = async (viewer: Viewer, id: string, input: object = {}): Promise<Completed> =>
  complete(users, await answerOf(id, { link: true, ...input }, viewer), viewer);
const viewerOf = async ({ tokens }: Completed): Promise<Viewer> =>
  verifyAccessToken(tokens!.accessToken, await users.jwks()).viewer;
const accounts = (): Promise<number> => test_.platform.database.prisma.user.count();
const audited = async (userId: string): Promise<string[]> => {
  const rows = await test_.platform.database.prisma.auditEvent.findMany({
    where: { actorId: userId },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ action }) => action);
};

test('names the providers in the order of the settings', async () => {
  expect(await askFor(users, null, '{ identityProviders { id name } }')).toEqual({
    identityProviders: [
      { id: 'sample', name: 'SAMPLE' },
      { id: 'other', name: 'OTHER' },
    ],
  });
});

describe('signing in', () => {
  test('makes an account of a verified address, and the next time enters it', async () => {
    const profile = { given_name: ' Amina\u0007 ', family_name: 'Otieno', locale: 'sw_KE', zoneinfo: 'Africa/Nairobi' };
    const { id, email } = await somebody({ ...profile, name: `Amina\r\nOtieno${'x'.repeat(200)}` });
    const first = await signIn(id, { deviceName: 'Laptop' });
    expect(first).toMatchObject({
      viewer: {
        email,
        hasPassword: false,
        profile: { firstName: 'Amina', lastName: 'Otieno', locale: 'sw-KE', timeZone: 'Africa/Nairobi' },
        identities: [{ provider: 'sample', subject: id, email }],
      },
      session: { assurance: 'IDENTITY_PROVIDER', deviceName: 'Laptop' },
      errors: [],
    });
    expect(first.viewer!.profile.displayName).toMatch(/^Amina {2}Otienox{87}$/);
    const row = await test_.platform.database.prisma.user.findUniqueOrThrow({ where: { id: first.viewer!.id } });
    expect(row).toMatchObject({
      passwordHash: null,
      emailVerifiedAt: new Date(clockMs),
      lastSignInAt: new Date(clockMs),
    });
    expect(await audited(row.id)).toEqual(['account.created', 'identity.linked', 'session.started']);

    const second = await signIn(id);
    expect(second.viewer).toEqual(first.viewer);
    expect(second.session!.id).not.toBe(first.session!.id);
    expect((await viewerOf(second)).sessionId).toBe(second.session!.id);
  });

  test('asks for the second factor of the account, and finishes with its code', async () => {
    const { id } = await somebody();
    const { viewer } = await signIn(id);
    const secret = newTotpSecret();
    await test_.platform.database.prisma.mfaFactor.create({
      data: {
        ...{ id: newId('mfa'), userId: viewer!.id, name: 'Phone', confirmedAt: new Date() },
        secret: createSeal(test_.platform.secret, 'totp').seal(secret),
      },
    });
    const input = { ...Object.fromEntries(await answerOf(id)), deviceName: 'Laptop' };
    const { result } = await askFor<{ result: { mfa: { token: string } } }>(
      users,
      null,
      `mutation ($input: CompleteOAuthInput!) { result: completeOAuth(input: $input) {
        viewer { id } session { id } tokens { accessToken } mfa { token methods } errors { code } } }`,
      { input },
    );
    const mfa = { token: expect.any(String) as string, methods: ['TOTP'] };
    expect(result).toEqual({ viewer: null, session: null, tokens: null, mfa, errors: [] });
    const verify = `mutation ($input: VerifyMfaInput!) { result: verifyMfa(input: $input) {
      viewer { id } session { assurance deviceName } errors { code } } }`;
    const proof = { token: result.mfa.token, code: codeOfApp(secret, clockMs) };
    expect(await askFor(users, null, verify, { input: proof })).toEqual({
      result: { viewer: { id: viewer!.id }, session: { assurance: 'MFA', deviceName: 'Laptop' }, errors: [] },
    });
  });

  test('waits for whoever takes the link away, and is refused then', async () => {
    const { id } = await somebody();
    const { viewer } = await signIn(id);
    const { database } = test_.platform;
    let entering: Promise<Completed> | undefined;
    await database.prisma.$transaction(async (tx) => {
      await lockUser(tx, viewer!.id);
      await tx.identity.deleteMany({ where: { userId: viewer!.id } });
      entering = signIn(id);
      await waitFor('the sign-in to wait for the account', async () => {
        const [{ waiting }] = await database.prisma.$queryRaw<[{ waiting: bigint }]>`
          select count(*) as waiting from pg_stat_activity
           where datname = current_database() and wait_event_type = 'Lock'`;
        return waiting > 0n;
      });
    });
    expect(await entering).toMatchObject({ session: null, errors: [{ code: 'INVALID_CREDENTIALS' }] });
  });

  test('keeps to what never changes at the provider: another address there changes none here', async () => {
    const { id, email } = await somebody();
    const first = await signIn(id);
    await provider.knows(id, { email: 'other@sauti.example', email_verified: true });
    expect((await signIn(id)).viewer).toMatchObject({
      id: first.viewer!.id,
      email,
      identities: [{ email: 'other@sauti.example' }],
    });
    await provider.knows(id, {});
    expect((await signIn(id)).viewer).toMatchObject({ id: first.viewer!.id, email, identities: [{ email: null }] });
  });

  test.each([
    ['an address that is not verified', { email_verified: false }],
    ['an address that may be verified', { email_verified: undefined }],
    ['an address that is verified in other words', { email_verified: 1 }],
    ['no address', { email: undefined }],
    ['what is no address', { email: 'a@b\r\nBcc: c@d.example' }],
  ])('with %s makes no account', async (_what, claims) => {
    const before = await accounts();
    const { id } = await somebody(claims);
    expect(codesOf(await signIn(id))).toEqual(['INVALID_STATE code']);
    expect(await accounts()).toBe(before);
  });

  test('never enters an account by its address, verified or not', async () => {
    const verified = await somebody();
    const unverified = await somebody({ email_verified: false });
    for (const { id, email } of [verified, unverified]) {
      const { user } = await anAccount(test_.platform, { email });
      expect(await signIn(id)).toMatchObject({ viewer: null, session: null, tokens: null });
      expect(await test_.platform.database.prisma.identity.count({ where: { userId: user.id } })).toBe(0);
    }
    const capitals = await somebody({ email: verified.email.toUpperCase() });
    const { errors } = await signIn(capitals.id);
    expect(errors).toMatchObject([{ code: 'INVALID_STATE', message: expect.stringContaining('link') as string }]);
  });

  test('at the same time on two devices makes one account', async () => {
    const { id, email } = await somebody();
    const answers = [await answerOf(id), await answerOf(id), await answerOf(id)];
    const completed = await Promise.all(answers.map((answer) => complete(users, answer)));
    expect(completed.flatMap(codesOf)).toEqual([]);
    expect(new Set(completed.map(({ viewer }) => viewer!.id)).size).toBe(1);
    expect(await test_.platform.database.prisma.user.count({ where: { email } })).toBe(1);
  });

  test('with a suspended account is answered like a wrong password', async () => {
    const { id } = await somebody();
    const { viewer } = await signIn(id);
    await test_.platform.database.prisma.user.update({ where: { id: viewer!.id }, data: { status: 'SUSPENDED' } });
    expect(await signIn(id)).toMatchObject({
      viewer: null,
      tokens: null,
      errors: [{ code: 'INVALID_CREDENTIALS', message: 'E-mail address or password is wrong.' }],
    });
    const blocked = { action: 'signIn.blocked', subjectId: viewer!.id };
    expect(await test_.platform.database.prisma.auditEvent.count({ where: blocked })).toBe(1);
  });
});

describe('a state', () => {
  test('works once, also when the first use came to nothing', async () => {
    const { id } = await somebody();
    const good = await answerOf(id);
    expect(codesOf(await complete(users, good))).toEqual([]);
    expect(codesOf(await complete(users, good))).toEqual(['INVALID_TOKEN state']);

    const spoiled = Object.fromEntries(await answerOf(id));
    expect(codesOf(await complete(users, { ...spoiled, code: 'wrong' }))).toEqual(['INVALID_TOKEN code']);
    expect(codesOf(await complete(users, spoiled))).toEqual(['INVALID_TOKEN state']);
  });

  test('works once, of many uses at the same time', async () => {
    const { id } = await somebody();
    const answer = await answerOf(id);
    const answers = await Promise.all(Array.from({ length: 10 }, () => complete(users, answer)));
    expect(answers.flatMap(codesOf)).toEqual(Array.from({ length: 9 }, () => 'INVALID_TOKEN state'));
  });

  test('works for ten minutes', async () => {
    const { id } = await somebody();
    const [late, tooLate] = [await answerOf(id), await answerOf(id)];
    clockMs += 9 * 60_000;
    expect(codesOf(await complete(users, late))).toEqual([]);
    clockMs += 60_000;
    expect(codesOf(await complete(users, tooLate))).toEqual(['INVALID_TOKEN state']);
  });

  test('cannot be missing, guessed, or a token of another kind', async () => {
    const { id } = await somebody();
    const answer = Object.fromEntries(await answerOf(id));
    for (const state of ['', 'x', `${answer['state']}x`, '\0', 'x'.repeat(100_000)])
      expect(codesOf(await complete(users, { ...answer, state }))).toEqual(['INVALID_TOKEN state']);
    const { state: _missing, ...without } = answer;
    const { errors } = await ask(
      users,
      null,
      'mutation ($i: CompleteOAuthInput!) { completeOAuth(input: $i) { errors { code } } }',
      {
        i: without,
      },
    );
    expect(errors![0]!.extensions!['code']).toBe('BAD_USER_INPUT');
    await test_.platform.database.prisma.oneTimeToken.updateMany({ data: { kind: 'RESET_PASSWORD' } });
    expect(codesOf(await complete(users, answer))).toEqual(['INVALID_TOKEN state']);
  });

  test('keeps its secrets sealed, and itself hashed', async () => {
    const { authorizationUrl, state } = await start(users);
    const rows = await test_.platform.database.prisma.oneTimeToken.findMany();
    const stored = JSON.stringify(rows);
    expect(stored).toContain(REDIRECT_URI);
    const nonce = new URL(authorizationUrl).searchParams.get('nonce')!;
    for (const secret of [state, nonce, 'verifier']) expect(stored).not.toContain(secret);
  });
});

describe('a code', () => {
  test('of another sign-in is refused: it was asked for with another proof key', async () => {
    const [amina, baraka] = [await somebody(), await somebody()];
    const [own, foreign] = [await answerOf(amina.id), await answerOf(baraka.id)];
    const injected = { ...Object.fromEntries(own), code: foreign.get('code') };
    expect(codesOf(await complete(users, injected))).toEqual(['INVALID_TOKEN code']);
  });

  test('works once', async () => {
    const { id } = await somebody();
    const used = await answerOf(id);
    await complete(users, used);
    const again = { ...Object.fromEntries(await answerOf(id)), code: used.get('code') };
    expect(codesOf(await complete(users, again))).toEqual(['INVALID_TOKEN code']);
  });

  test.each([
    ['empty', ''],
    ['blank', ' '],
    ['guessed', 'wrong'],
    ['a way to smuggle parameters', 'a&iss=b'],
    ['a way to smuggle headers', '\r\nx'],
  ])('cannot be %s', async (_what, code) => {
    const { id } = await somebody();
    const answer = { ...Object.fromEntries(await answerOf(id)), code };
    expect(codesOf(await complete(users, answer))).toEqual(['INVALID_TOKEN code']);
  });

  test('comes with the issuer, where the provider promises to send it', async () => {
    const { id } = await somebody();
    for (const iss of [null, 'https://attacker.example', `${provider.issuer}/`]) {
      const answer = { ...Object.fromEntries(await answerOf(id)), iss };
      expect(codesOf(await complete(users, answer))).toEqual(['INVALID_TOKEN code']);
    }
  });
});

describe('startOAuth', () => {
  test.each([
    `${REDIRECT_URI}/`,
    `${REDIRECT_URI}?a=b`,
    `${REDIRECT_URI}#x`,
    `${REDIRECT_URI}/../other`,
    `${REDIRECT_URI}%2f`,
    REDIRECT_URI.replace('https', 'http'),
    REDIRECT_URI.replace('app.', 'App.'),
    REDIRECT_URI.replace('example', 'example:443'),
    REDIRECT_URI.replace('https://', 'https://app.sauti.example@'),
    REDIRECT_URI.replace('sauti.example', 'sauti.example.attacker.example'),
    'https://attacker.example/signed-in',
  ])('refuses to let people come back to %s', async (redirectUri) => {
    const before = await test_.platform.database.prisma.oneTimeToken.count();
    expect(codesOf(await start(users, { redirectUri }))).toEqual(['INVALID_INPUT redirectUri']);
    expect(await test_.platform.database.prisma.oneTimeToken.count()).toBe(before);
  });

  test.each(['', 'SAMPLE', 'unknown', '__proto__', 'constructor'])('knows no provider %j', async (id) => {
    expect(codesOf(await start(users, { provider: id }))).toEqual(['NOT_FOUND provider']);
  });
});

describe('linking', () => {
  test('lets the account be entered with the identity from then on, whatever address that has', async () => {
    const { user, viewer } = await anAccount(test_.platform);
    const { id } = await somebody({ email_verified: false });
    const linked = await link(viewer, id);
    expect(linked).toMatchObject({
      viewer: { id: user.id, email: user.email, hasPassword: true, identities: [{ provider: 'sample', subject: id }] },
      session: { id: viewer.sessionId },
      tokens: null,
      errors: [],
    });
    expect(await audited(user.id)).toEqual(['identity.linked']);
    expect(await test_.platform.events.head(viewerTopic(user.id))).toBe(1);
    expect(await test_.platform.database.prisma.mail.findMany({ where: { recipient: user.email } })).toMatchObject([
      { kind: 'security.notice', subject: 'An account of SAMPLE was linked to your account' },
    ]);
    expect((await signIn(id)).viewer!.id).toBe(user.id);
  });

  test('the same identity again is the same link, and that of another account is refused', async () => {
    const { viewer } = await anAccount(test_.platform);
    const other = await anAccount(test_.platform);
    const { id } = await somebody();
    const first = await link(viewer, id);
    expect((await link(viewer, id)).viewer).toEqual(first.viewer);
    expect(codesOf(await link(other.viewer, id))).toEqual(['ALREADY_EXISTS code']);
    expect(await test_.platform.database.prisma.identity.count({ where: { userId: other.user.id } })).toBe(0);
  });

  test('is not for an account whose address is not verified: it may be meant for its owner', async () => {
    const { viewer } = await anAccount(test_.platform, { emailVerifiedAt: null });
    expect(codesOf(await start(users, { link: true }, viewer))).toEqual(['INVALID_STATE link']);
  });

  test('is finished by the session that began it and by nobody else', async () => {
    const { user, viewer } = await anAccount(test_.platform);
    const victim = await anAccount(test_.platform);
    const { id } = await somebody();
    const answer = await answerOf(id, { link: true }, viewer);
    for (const other of [null, victim.viewer, { ...viewer, sessionId: newId('ses') }])
      expect(codesOf(await complete(users, answer, other))).toEqual(['INVALID_TOKEN state']);
    expect((await complete(users, answer, viewer)).viewer!.id).toBe(user.id);
  });

  test('needs an account, and a proof that is not older than an hour', async () => {
    const { viewer } = await anAccount(test_.platform);
    const input = { provider: 'sample', redirectUri: REDIRECT_URI, link: true };
    const START = 'mutation ($i: StartOAuthInput!) { startOAuth(input: $i) { errors { code } } }';
    const { errors } = await ask(users, null, START, { i: input });
    expect(errors![0]!.extensions!['code']).toBe('UNAUTHENTICATED');
    const { id } = await somebody();
    const answer = await answerOf(id, { link: true }, viewer);
    await test_.platform.database.prisma.session.update({
      where: { id: viewer.sessionId },
      data: { authenticatedAt: new Date(clockMs - HOUR_MS - 1) },
    });
    expect(codesOf(await start(users, { link: true }, viewer))).toEqual(['REAUTHENTICATION_REQUIRED']);
    expect(codesOf(await complete(users, answer, viewer))).toEqual(['REAUTHENTICATION_REQUIRED']);
  });
});
