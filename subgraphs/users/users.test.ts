import { USER_SCOPES } from '../../platform/identity/scopes';
import type { Viewer } from '../../platform/identity/viewer';
import { newId } from '../../platform/ids';
import { verifyAccessToken } from '../../platform/identity/access-token';
import { ask, askFor, aViewer } from '../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { createUsersSubgraph, type UsersSubgraph } from './subgraph';

const FIELDS = `viewer { id email profile { displayName locale timeZone } }
  tokens { accessToken expiresAt refreshToken session { id deviceName } } errors { code message path }`;
const SIGN_UP = `mutation ($input: SignUpInput!) { result: signUp(input: $input) { ${FIELDS} } }`;
const SIGN_IN = `mutation ($input: SignInInput!) { result: signIn(input: $input) { ${FIELDS} } }`;
const REFRESH = `mutation ($token: String!) { result: refreshSession(input: { refreshToken: $token }) { ${FIELDS} } }`;
const END =
  'mutation ($input: EndSessionsInput!) { result: endSessions(input: $input) { ended errors { code path } } }';
const PASSWORD = 'correct horse battery staple';

interface SignedIn {
  viewer: { id: string; email: string; profile: { displayName: string; locale: string; timeZone: string } } | null;
  tokens: {
    accessToken: string;
    expiresAt: string;
    refreshToken: string;
    session: { id: string; deviceName: string | null };
  } | null;
  errors: { code: string; message: string; path: string[] }[];
}

let test_: TestPlatform;
let users: UsersSubgraph;
/** What the sessions take for now, moved on by a test. */
let clockMs: number;
let people = 0;

beforeAll(async () => {
  test_ = await openTestPlatform();
  users = createUsersSubgraph(test_.platform, () => new Date(clockMs));
});
beforeEach(() => {
  clockMs = Date.now();
});
afterAll(() => test_[Symbol.asyncDispose]());

const anEmail = (): string => `person-${++people}@sauti.example`;
const result = async <Result = SignedIn>(
  query: string,
  variables: Record<string, unknown>,
  viewer: Viewer | null = null,
): Promise<Result> => (await askFor<{ result: Result }>(users, viewer, query, variables)).result;
const signUp = (changes: Record<string, unknown> = {}): Promise<SignedIn> =>
  result(SIGN_UP, { input: { email: anEmail(), password: PASSWORD, displayName: 'Amina', ...changes } });
const signIn = (input: { email: string; password: string; deviceName?: string }): Promise<SignedIn> =>
  result(SIGN_IN, { input });
const refresh = (token: string): Promise<SignedIn> => result(REFRESH, { token });
const codesOf = (answer: { errors: { code: string; path: string[] | null }[] }): [string, string | undefined][] =>
  answer.errors.map(({ code, path }) => [code, path?.join('.')]);
const viewerOf = async ({ tokens }: SignedIn): Promise<Viewer> =>
  verifyAccessToken(tokens!.accessToken, await users.jwks()).viewer;

describe('signUp', () => {
  test('opens an account and a session whose access token the published keys verify', async () => {
    const answer = await signUp({
      email: ' Amina@Sauti.Example ',
      locale: 'SW-ke',
      timeZone: 'Africa/Nairobi',
      deviceName: 'Phone',
    });
    expect(answer.errors).toEqual([]);
    expect(answer.viewer).toMatchObject({
      email: 'Amina@Sauti.Example',
      profile: { displayName: 'Amina', locale: 'sw-KE', timeZone: 'Africa/Nairobi' },
    });
    expect(await viewerOf(answer)).toEqual({
      userId: answer.viewer!.id,
      sessionId: answer.tokens!.session.id,
      scopes: [...USER_SCOPES],
    });
    expect(answer.tokens!.session.deviceName).toBe('Phone');
    expect(Math.abs(Date.parse(answer.tokens!.expiresAt) - Date.now() - 600_000)).toBeLessThan(10_000);
  });

  test('refuses an address that is taken, however it is written', async () => {
    await signUp({ email: 'taken-é@sauti.example' });
    expect(codesOf(await signUp({ email: 'TAKEN-e\u0301@Sauti.example' }))).toEqual([
      ['ALREADY_EXISTS', 'input.email'],
    ]);
  });

  test('of two at the same time with one address one wins', async () => {
    const email = anEmail();
    const answers = await Promise.all([signUp({ email }), signUp({ email })]);
    expect(answers.flatMap(codesOf)).toEqual([['ALREADY_EXISTS', 'input.email']]);
  });

  test.each<[field: string, value: string]>([
    ['email', 'nobody'],
    ['email', '@sauti.example'],
    ['email', 'a@b'],
    ['email', 'a@b@sauti.example'],
    ['email', 'a b@sauti.example'],
    ['email', 'a\0@sauti.example'],
    ['email', 'a\r\nBcc: b@sauti.example'],
    ['email', `${'a'.repeat(250)}@b.example`],
    ['displayName', '  '],
    ['displayName', 'a'.repeat(101)],
    ['displayName', 'a\0b'],
    ['displayName', 'a\u001bb'],
    ['timeZone', 'Mars/Olympus'],
    ['timeZone', 'a\0b'],
    ['deviceName', 'a\u0007b'],
  ])('with the %s %j is INVALID_INPUT', async (field, value) => {
    expect(codesOf(await signUp({ [field]: value }))).toEqual([['INVALID_INPUT', `input.${field}`]]);
  });

  test('with a language tag that is none is BAD_USER_INPUT', async () => {
    const input = { email: anEmail(), password: PASSWORD, displayName: 'A', locale: 'not_a_tag!' };
    const { errors } = await ask(users, null, SIGN_UP, { input });
    expect(errors![0]!.extensions!.code).toBe('BAD_USER_INPUT');
  });

  test.each<[why: string, password: string]>([
    ['7 characters', 'abcdefg'],
    ['257 characters', 'abc'.repeat(86).slice(0, 257)],
    ['1 MB', 'abc'.repeat(333_333)],
    ['a common one', 'Password123'],
    ['one character repeated', 'aaaaaaaaaaaa'],
    ['only blanks', '          '],
  ])('with a password of %s is WEAK_PASSWORD', async (_why, password) => {
    expect(codesOf(await signUp({ password }))).toEqual([['WEAK_PASSWORD', 'input.password']]);
  });

  test('refuses the address and the name as password', async () => {
    const email = 'somebody.unusual@sauti.example';
    for (const password of [email.toUpperCase(), 'somebody.unusual', 'Mtu Fulani']) {
      expect(codesOf(await signUp({ email, password, displayName: 'Mtu Fulani' }))).toEqual([
        ['WEAK_PASSWORD', 'input.password'],
      ]);
    }
  });

  test('keeps the name of a time zone that has an older one, and corrects its case', async () => {
    const zoneOf = async (timeZone: string): Promise<string> => (await signUp({ timeZone })).viewer!.profile.timeZone;
    expect(await zoneOf('Asia/Kolkata')).toBe('Asia/Kolkata');
    expect(await zoneOf('africa/nairobi')).toBe('Africa/Nairobi');
  });
});

describe('signIn', () => {
  test('opens another session, however the address is written', async () => {
    const email = anEmail();
    const first = await signUp({ email });
    const second = await signIn({ email: ` ${email.toUpperCase()}`, password: PASSWORD, deviceName: 'Laptop' });
    expect(second.viewer).toEqual(first.viewer);
    expect(second.tokens!.session.id).not.toBe(first.tokens!.session.id);
  });

  test('answers an unknown address and a wrong password byte for byte the same', async () => {
    const email = anEmail();
    await signUp({ email });
    const answerTo = async (input: object): Promise<string> =>
      JSON.stringify(await ask(users, null, SIGN_IN, { input }));
    const wrong = await answerTo({ email, password: 'wrong password' });
    expect(wrong).toContain('INVALID_CREDENTIALS');
    for (const input of [
      { email: anEmail(), password: PASSWORD },
      { email: 'no address', password: PASSWORD },
      { email: 'a\0b@sauti.example', password: PASSWORD },
      { email: `${'a'.repeat(10_000)}@sauti.example`, password: PASSWORD },
      { email, password: '' },
      { email, password: `${PASSWORD}\0` },
      { email, password: 'x'.repeat(1_000_000) },
    ]) {
      expect(await answerTo(input)).toBe(wrong);
    }
  });

  test('tells passwords apart that differ only after 72 bytes, or after a NUL', async () => {
    const email = anEmail();
    const long = 'mwalimu'.repeat(15);
    await signUp({ email, password: `${long}a` });
    expect(codesOf(await signIn({ email, password: `${long}b` }))).toEqual([['INVALID_CREDENTIALS', 'input']]);
    expect((await signIn({ email, password: `${long}a` })).errors).toEqual([]);

    const other = anEmail();
    await signUp({ email: other, password: 'before\0after' });
    expect(codesOf(await signIn({ email: other, password: 'before\0other' }))).toEqual([
      ['INVALID_CREDENTIALS', 'input'],
    ]);
    expect((await signIn({ email: other, password: 'before\0after' })).errors).toEqual([]);
  });

  test('takes a password however a keyboard composes it', async () => {
    const email = anEmail();
    await signUp({ email, password: 'café au lait' });
    expect((await signIn({ email, password: 'cafe\u0301 au lait' })).errors).toEqual([]);
  });
});

describe('refreshSession', () => {
  test('exchanges the pair and keeps the session', async () => {
    const first = await signUp();
    const second = await refresh(first.tokens!.refreshToken);
    expect(second.viewer).toEqual(first.viewer);
    expect(second.tokens!.session.id).toBe(first.tokens!.session.id);
    expect(second.tokens!.refreshToken).not.toBe(first.tokens!.refreshToken);
    expect((await refresh(second.tokens!.refreshToken)).errors).toEqual([]);
  });

  test('starts the thirty days anew, and ends with them', async () => {
    const days = 24 * 3_600_000;
    const first = await signUp();
    clockMs += 29 * days;
    const second = await refresh(first.tokens!.refreshToken);
    clockMs += 29 * days;
    const third = await refresh(second.tokens!.refreshToken);
    expect(third.errors).toEqual([]);
    clockMs += 30 * days;
    expect(codesOf(await refresh(third.tokens!.refreshToken))).toEqual([['TOKEN_EXPIRED', 'input.refreshToken']]);
  });

  test.each(['', 'unknown', 'a\0b', 'x'.repeat(100_000)])('with another text is TOKEN_EXPIRED', async (token) => {
    expect(codesOf(await refresh(token))).toEqual([['TOKEN_EXPIRED', 'input.refreshToken']]);
  });

  test('does not take an access token for a refresh token', async () => {
    const { tokens } = await signUp();
    expect(codesOf(await refresh(tokens!.accessToken))).toEqual([['TOKEN_EXPIRED', 'input.refreshToken']]);
  });

  test('keeps no token in the clear', async () => {
    const { tokens } = await signUp();
    const rows = await test_.platform.database.prisma.refreshToken.findMany({
      where: { sessionId: tokens!.session.id },
    });
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(tokens!.refreshToken);
  });
});

describe('endSessions', () => {
  interface Ended {
    ended: number;
    errors: { code: string; path: string[] }[];
  }
  const end = (viewer: Viewer | null, input: object): Promise<Ended> => result<Ended>(END, { input }, viewer);

  test('ends the current session, so that its tokens cannot be renewed', async () => {
    const signedIn = await signUp();
    const viewer = await viewerOf(signedIn);
    expect(await end(viewer, {})).toEqual({ ended: 1, errors: [] });
    expect(codesOf(await refresh(signedIn.tokens!.refreshToken))).toEqual([['TOKEN_EXPIRED', 'input.refreshToken']]);
    expect(await end(viewer, {})).toEqual({ ended: 0, errors: [] });
  });

  test('ends one session by id, or all others', async () => {
    const email = anEmail();
    const own = await signUp({ email });
    const others = await Promise.all([1, 2, 3].map(() => signIn({ email, password: PASSWORD })));
    const viewer = await viewerOf(own);
    expect(await end(viewer, { sessionId: others[0]!.tokens!.session.id })).toEqual({ ended: 1, errors: [] });
    expect(await end(viewer, { allOthers: true })).toEqual({ ended: 2, errors: [] });
    expect((await refresh(own.tokens!.refreshToken)).errors).toEqual([]);
    expect(codesOf(await refresh(others[2]!.tokens!.refreshToken))).toEqual([['TOKEN_EXPIRED', 'input.refreshToken']]);
  });

  test("answers somebody else's session like an unknown one, and leaves it alone", async () => {
    const [amina, baraka] = [await signUp(), await signUp()];
    const viewer = await viewerOf(amina);
    const foreign = await end(viewer, { sessionId: baraka.tokens!.session.id });
    expect(foreign).toEqual({ ended: 0, errors: [{ code: 'NOT_FOUND', path: ['input', 'sessionId'] }] });
    for (const sessionId of [newId('ses'), 'a\0b', '']) expect((await end(viewer, { sessionId })).ended).toBe(0);
    expect(await end(viewer, { sessionId: newId('ses') })).toEqual(foreign);
    expect((await refresh(baraka.tokens!.refreshToken)).errors).toEqual([]);
  });

  test('is for people who are signed in', async () => {
    const { errors } = await ask(users, null, END, { input: {} });
    expect(errors![0]!.extensions!.code).toBe('UNAUTHENTICATED');
  });
});

describe('viewer and entities', () => {
  const VIEWER =
    'query ($after: String) { viewer { id email sessions(first: 2, after: $after) { nodes { id current } pageInfo { hasNextPage endCursor } } } }';
  const ENTITIES =
    'query ($of: [_Any!]!) { _entities(representations: $of) { ... on User { email } ... on Session { id } } }';
  interface ViewerAnswer {
    viewer: {
      email: string;
      sessions: { nodes: { id: string; current: boolean }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
    };
  }

  test('the viewer sees the own sessions, newest first, and which one is current', async () => {
    const email = anEmail();
    const own = await signUp({ email });
    const others = [await signIn({ email, password: PASSWORD }), await signIn({ email, password: PASSWORD })];
    const viewer = await viewerOf(own);
    const first = (await askFor<ViewerAnswer>(users, viewer, VIEWER)).viewer.sessions;
    expect(first.nodes).toEqual(
      [others[1]!, others[0]!].map(({ tokens }) => ({ id: tokens!.session.id, current: false })),
    );
    const rest = (await askFor<ViewerAnswer>(users, viewer, VIEWER, { after: first.pageInfo.endCursor })).viewer
      .sessions;
    expect([rest.nodes, rest.pageInfo.hasNextPage]).toEqual([[{ id: own.tokens!.session.id, current: true }], false]);
  });

  test('an anonymous caller is nobody', async () => {
    expect(await ask(users, null, VIEWER)).toEqual({ data: { viewer: null } });
  });

  test("somebody else's account and session are answered like unknown ones", async () => {
    const [amina, baraka] = [await signUp(), await signUp()];
    const of = (id: string, sessionId: string): object => ({
      of: [
        { __typename: 'User', id },
        { __typename: 'Session', id: sessionId },
      ],
    });
    const own = of(amina.viewer!.id, amina.tokens!.session.id);
    const viewer = await viewerOf(amina);
    expect(await ask(users, viewer, ENTITIES, { ...own })).toEqual({
      data: { _entities: [{ email: amina.viewer!.email }, { id: amina.tokens!.session.id }] },
    });
    const nothing = { data: { _entities: [null, null] } };
    for (const stranger of [await viewerOf(baraka), aViewer(), null]) {
      expect(await ask(users, stranger, ENTITIES, { ...own })).toEqual(nothing);
    }
    expect(await ask(users, viewer, ENTITIES, { ...of(newId('usr'), newId('ses')) })).toEqual(nothing);
    expect(await ask(users, viewer, ENTITIES, { ...of('a\0b', 'a\0b') })).toEqual(nothing);
  });
});

describe('the signing key', () => {
  test('is one, although several processes start together', async () => {
    await using fresh = await openTestPlatform();
    const processes = Array.from({ length: 5 }, () => createUsersSubgraph(fresh.platform));
    const published = await Promise.all(processes.map((subgraph) => subgraph.jwks()));
    expect(published[0]!.keys).toHaveLength(1);
    for (const jwks of published) expect(jwks).toEqual(published[0]);
    expect(await fresh.platform.database.prisma.signingKey.count()).toBe(1);
  });

  test('signs tokens that every other process verifies', async () => {
    const answer = await signUp();
    const other = createUsersSubgraph(test_.platform);
    expect(verifyAccessToken(answer.tokens!.accessToken, await other.jwks()).viewer.userId).toBe(answer.viewer!.id);
  });
});
