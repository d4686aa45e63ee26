import { newId } from '../../../platform/ids';
import { hashOfToken } from '../one-time-tokens';
import { accessTopic } from '../events';
import { FRESH_MS } from '../sessions/fresh-proof';
import { PASSWORD, TestAccounts } from './testing';

const HOUR_MS = 3_600_000;
const NEW_PASSWORD = 'eleven brown herons';
let app: TestAccounts;
let people = 0;

beforeAll(async () => {
  app = await TestAccounts.open();
});
beforeEach(() => app.toNow());
afterAll(() => app[Symbol.asyncDispose]());

const anEmail = (): string => `person-${++people}@mwanga.example`;
const prisma = () => app.test.platform.database.prisma;
async function somebody() {
  const email = anEmail();
  const answer = await app.signUp(email);
  return { email, viewer: await app.viewerOf(answer), refreshToken: answer.tokens!.refreshToken };
}
async function aResetToken(email: string): Promise<string> {
  await app.call('requestPasswordReset', { email });
  return app.tokenTo(email, 'password.reset');
}
/** Session ids that gateways were told to refuse. */
async function endedSessions(): Promise<string[]> {
  const events = await prisma().$queryRaw<{ payload: { sessionId?: string } }[]>`
    select payload from platform.event where topic = ${accessTopic.name}`;
  return events.flatMap(({ payload }) => payload.sessionId ?? []);
}

describe('resetPassword', () => {
  test('sets a new password with the token of a mail, once, and proves the address', async () => {
    const { email, viewer } = await somebody();
    const token = await aResetToken(email);
    expect(await app.call('resetPassword', { token, newPassword: NEW_PASSWORD })).toMatchObject({ ok: true });
    expect((await app.signIn(email)).errors).toMatchObject([{ code: 'INVALID_CREDENTIALS' }]);
    expect((await app.signIn(email, NEW_PASSWORD)).viewer).toMatchObject({ emailVerified: true });
    expect(await app.codes('resetPassword', { token, newPassword: 'twelve brown herons' })).toEqual(['INVALID_TOKEN']);
    expect((await app.auditOf(viewer.userId)).map(({ action }) => action)).toEqual(
      expect.arrayContaining(['password.resetAsked', 'password.reset']),
    );
    expect((await app.mailsTo(email)).at(-1)).toMatchObject({ kind: 'security.notice' });
  });

  test('ends the sessions, tells every gateway, and forgets trusted devices', async () => {
    const { email, viewer, refreshToken } = await somebody();
    const expiresAt = new Date(Date.now() + HOUR_MS);
    await prisma().trustedDevice.create({ data: { tokenHash: hashOfToken(email), userId: viewer.userId, expiresAt } });
    await app.call('resetPassword', { token: await aResetToken(email), newPassword: NEW_PASSWORD });
    expect(await app.codes('refreshSession', { refreshToken })).toEqual(['TOKEN_EXPIRED']);
    expect(await endedSessions()).toContain(viewer.sessionId);
    expect(await prisma().trustedDevice.count({ where: { userId: viewer.userId } })).toBe(0);
  });

  test.each<[what: string, isProven: boolean]>([
    ['has not proven the address loses sessions, keys and trusted devices to whoever reads its mails', false],
    ['has proven it keeps them when it wants to', true],
  ])('whoever %s', async (_what, isProven) => {
    const { email, viewer, refreshToken } = await somebody();
    if (isProven) await prisma().user.update({ where: { id: viewer.userId }, data: { emailVerifiedAt: new Date() } });
    const own = { userId: viewer.userId, expiresAt: new Date(Date.now() + HOUR_MS) };
    await prisma().apiKey.create({
      data: { ...own, id: newId('key'), name: 'k', prefix: 'p', keyHash: email, scopes: ['media:read'] },
    });
    await prisma().trustedDevice.create({ data: { ...own, tokenHash: email } });
    const token = await aResetToken(email);
    await app.call('resetPassword', { token, newPassword: NEW_PASSWORD, endSessions: false });
    expect(await app.codes('refreshSession', { refreshToken })).toEqual(isProven ? [] : ['TOKEN_EXPIRED']);
    const where = { userId: viewer.userId };
    expect(await prisma().apiKey.count({ where: { ...where, revokedAt: null } })).toBe(isProven ? 1 : 0);
    expect(await prisma().trustedDevice.count({ where })).toBe(isProven ? 1 : 0);
  });

  test('with a weak password does nothing, and the token still works', async () => {
    const { email } = await somebody();
    const token = await aResetToken(email);
    expect(await app.codes('resetPassword', { token, newPassword: email })).toEqual(['WEAK_PASSWORD']);
    expect(await app.codes('resetPassword', { token, newPassword: NEW_PASSWORD })).toEqual([]);
  });

  test('makes the other links worthless', async () => {
    const { email } = await somebody();
    const [first, second] = [await aResetToken(email), await aResetToken(email)];
    await app.call('resetPassword', { token: second, newPassword: NEW_PASSWORD });
    expect(await app.codes('resetPassword', { token: first, newPassword: PASSWORD })).toEqual(['INVALID_TOKEN']);
  });

  test('of two uses at the same time one wins', async () => {
    const { email } = await somebody();
    const token = await aResetToken(email);
    const codes = await Promise.all(
      [NEW_PASSWORD, 'twelve brown herons'].map((newPassword) => app.codes('resetPassword', { token, newPassword })),
    );
    expect(codes.flat()).toEqual(['INVALID_TOKEN']);
  });

  test('works within an hour', async () => {
    const { email } = await somebody();
    const token = await aResetToken(email);
    app.later(HOUR_MS + 1);
    expect(await app.codes('resetPassword', { token, newPassword: NEW_PASSWORD })).toEqual(['INVALID_TOKEN']);
  });

  test("does not take the token that verifies an address, nor sets another account's password", async () => {
    const [one, two] = [await somebody(), await somebody()];
    const verification = await app.tokenTo(one.email, 'email.verification');
    expect(await app.codes('resetPassword', { token: verification, newPassword: NEW_PASSWORD })).toEqual([
      'INVALID_TOKEN',
    ]);
    const token = await aResetToken(one.email);
    await app.call('resetPassword', { token, newPassword: NEW_PASSWORD }, { viewer: two.viewer });
    expect((await app.signIn(two.email)).errors).toEqual([]);
    expect((await app.signIn(one.email, NEW_PASSWORD)).errors).toEqual([]);
  });

  test('lets in whom wrong passwords had locked out', async () => {
    const { email } = await somebody();
    for (let count = 0; count < 6; count++) await app.signIn(email, 'a wrong password');
    await app.call('resetPassword', { token: await aResetToken(email), newPassword: NEW_PASSWORD });
    expect((await app.signIn(email, NEW_PASSWORD)).errors).toEqual([]);
  });

  test('keeps tokens of 256 bits, and only their hash', async () => {
    const { email } = await somebody();
    const token = await aResetToken(email);
    expect(Buffer.from(token, 'base64url')).toHaveLength(32);
    const rows = JSON.stringify(await prisma().oneTimeToken.findMany());
    expect(rows).toContain(hashOfToken(token));
    expect(rows).not.toContain(token);
    expect(JSON.stringify(await prisma().mail.findMany())).not.toContain(token);
  });
});

describe('requestPasswordReset', () => {
  test('answers in the same bytes for an unknown address, and sends it nothing', async () => {
    const { email } = await somebody();
    const unknown = anEmail();
    const answers = await Promise.all(
      [email, unknown, 'no address'].map((text) => app.call('requestPasswordReset', { email: text })),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ ok: true, errors: [] });
    expect(await app.mailsTo(unknown)).toEqual([]);
  });

  test('sends an address five mails in an hour', async () => {
    const { email } = await somebody();
    for (let count = 0; count < 8; count++)
      expect(await app.call('requestPasswordReset', { email })).toMatchObject({ ok: true });
    expect((await app.mailsTo(email)).filter(({ kind }) => kind === 'password.reset')).toHaveLength(5);
  });
});

describe('changePassword', () => {
  const change = (input: object, viewer: Awaited<ReturnType<typeof somebody>>['viewer']) =>
    app.call('changePassword', { newPassword: NEW_PASSWORD, ...input }, { viewer });

  test('ends the other sessions and keeps the current one', async () => {
    const { email, viewer, refreshToken } = await somebody();
    const other = await app.signIn(email);
    expect(await change({ currentPassword: PASSWORD }, viewer)).toMatchObject({ user: { id: viewer.userId } });
    expect(await app.codes('refreshSession', { refreshToken })).toEqual([]);
    expect(await app.codes('refreshSession', { refreshToken: other.tokens!.refreshToken })).toEqual(['TOKEN_EXPIRED']);
    const ended = await endedSessions();
    expect(ended).toContain(other.session!.id);
    expect(ended).not.toContain(viewer.sessionId);
    expect((await app.signIn(email, NEW_PASSWORD)).errors).toEqual([]);
    expect((await app.mailsTo(email)).map(({ kind }) => kind)).toContain('security.notice');
  });

  test('leaves them when told so', async () => {
    const { email, viewer } = await somebody();
    const other = await app.signIn(email);
    await change({ currentPassword: PASSWORD, endOtherSessions: false }, viewer);
    expect(await app.codes('refreshSession', { refreshToken: other.tokens!.refreshToken })).toEqual([]);
  });

  test.each([{ currentPassword: 'a wrong password' }, { currentPassword: '' }, {}])(
    'with %j is INVALID_CREDENTIALS',
    async (input) => {
      const { viewer } = await somebody();
      expect((await change(input, viewer)).errors).toMatchObject([
        { code: 'INVALID_CREDENTIALS', path: ['input', 'currentPassword'] },
      ]);
    },
  );

  test('a stolen session is good for five guesses', async () => {
    const { viewer } = await somebody();
    for (let count = 0; count < 5; count++) await change({ currentPassword: 'a wrong password' }, viewer);
    expect((await change({ currentPassword: PASSWORD }, viewer)).errors).toMatchObject([{ code: 'RATE_LIMITED' }]);
  });

  test('refuses a weak new one', async () => {
    const { viewer } = await somebody();
    expect((await change({ currentPassword: PASSWORD, newPassword: 'password1' }, viewer)).errors).toMatchObject([
      { code: 'WEAK_PASSWORD', path: ['input', 'newPassword'] },
    ]);
  });

  test('makes links worthless that set a password', async () => {
    const { email, viewer } = await somebody();
    const token = await aResetToken(email);
    await change({ currentPassword: PASSWORD }, viewer);
    expect(await app.codes('resetPassword', { token, newPassword: PASSWORD })).toEqual(['INVALID_TOKEN']);
  });

  test('sets the first password of an account with a fresh proof', async () => {
    const { email, viewer } = await somebody();
    await prisma().user.update({ where: { id: viewer.userId }, data: { passwordHash: null } });
    app.later(FRESH_MS + 60_000);
    expect((await change({}, viewer)).errors).toMatchObject([{ code: 'REAUTHENTICATION_REQUIRED' }]);
    app.later(-FRESH_MS - 60_000);
    expect((await change({}, viewer)).errors).toEqual([]);
    expect((await app.signIn(email, NEW_PASSWORD)).errors).toEqual([]);
  });

  test('of two at the same time one wins', async () => {
    const { viewer } = await somebody();
    const answers = await Promise.all(
      [NEW_PASSWORD, 'twelve brown herons'].map((newPassword) =>
        change({ currentPassword: PASSWORD, newPassword }, viewer),
      ),
    );
    expect(answers.filter(({ user }) => user)).toHaveLength(1);
  });

  test('is for people who are signed in', async () => {
    await expect(app.call('changePassword', { newPassword: NEW_PASSWORD })).rejects.toThrow('UNAUTHENTICATED');
  });
});
