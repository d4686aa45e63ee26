import { viewerTopic } from '../events';
import { FRESH_MS } from '../sessions/fresh-proof';
import { PASSWORD, TestAccounts } from './testing';

const HOUR_MS = 3_600_000;
const OTHER_PASSWORD = 'eleven brown herons';
/** As by default: an account is signed in at once. */
let app: TestAccounts;
/** Addresses are verified first. */
let strict: TestAccounts;
let people = 0;

beforeAll(async () => {
  app = await TestAccounts.open();
  strict = await TestAccounts.open({ requireVerifiedEmail: true }, app.test);
});
afterAll(() => app[Symbol.asyncDispose]());

const anEmail = (): string => `person-${++people}@mwanga.example`;
const prisma = () => app.test.platform.database.prisma;
const userOf = (email: string) => prisma().user.findUniqueOrThrow({ where: { emailKey: email } });
async function somebody(of = app) {
  const email = anEmail();
  return { email, viewer: await of.viewerOf(await of.signUp(email)) };
}

describe('verifyEmail', () => {
  test('proves the address with the token of the mail, once', async () => {
    const { email, viewer } = await somebody();
    expect((await userOf(email)).emailVerifiedAt).toBeNull();
    const token = await app.tokenTo(email, 'email.verification');
    expect(await app.call('verifyEmail', { token })).toMatchObject({ ok: true, errors: [] });
    expect((await userOf(email)).emailVerifiedAt).not.toBeNull();
    expect((await app.auditOf(viewer.userId)).map(({ action }) => action)).toContain('email.verified');
    expect(await app.codes('verifyEmail', { token })).toEqual(['INVALID_TOKEN']);
  });

  test('answers every token that is none alike', async () => {
    const { email } = await somebody();
    const token = await app.tokenTo(email, 'email.verification');
    await app.call('requestPasswordReset', { email });
    const answers = await Promise.all(
      [await app.tokenTo(email, 'password.reset'), '', 'x', `${token}x`, token.slice(1), '\0', 'x'.repeat(100_000)].map(
        async (wrong) => JSON.stringify(await app.call('verifyEmail', { token: wrong })),
      ),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain('INVALID_TOKEN');
  });

  test('is not guessed in a thousand tries', async () => {
    const guesses = Array.from({ length: 1_000 }, (_, index) => Buffer.alloc(32, index).toString('base64url'));
    for (const token of guesses) expect(await app.codes('verifyEmail', { token })).toEqual(['INVALID_TOKEN']);
  });

  test('takes a token for a day', async () => {
    const { email } = await somebody();
    const token = await app.tokenTo(email, 'email.verification');
    app.later(24 * HOUR_MS + 1);
    expect(await app.codes('verifyEmail', { token })).toEqual(['INVALID_TOKEN']);
  });

  test("tells the account's devices", async () => {
    const { email, viewer } = await somebody();
    await app.call('verifyEmail', { token: await app.tokenTo(email, 'email.verification') });
    const events = await prisma().$queryRaw<{ payload: { reason: string } }[]>`
      select payload from platform.event where topic = ${viewerTopic(viewer.userId).name}`;
    expect(events.map(({ payload }) => payload.reason)).toContain('EMAIL');
  });

  test('the mail is not sent again for a verified address, nor more than five times in an hour', async () => {
    const { email, viewer } = await somebody();
    for (let count = 0; count < 5; count++)
      expect(await app.codes('sendEmailVerification', {}, { viewer })).toEqual([]);
    expect(await app.codes('sendEmailVerification', {}, { viewer })).toEqual(['RATE_LIMITED']);
    await app.call('verifyEmail', { token: await app.tokenTo(email, 'email.verification') });
    app.later(HOUR_MS + 1);
    expect(await app.codes('sendEmailVerification', {}, { viewer })).toEqual(['INVALID_STATE']);
  });
});

describe('where addresses are verified first', () => {
  test('a sign-up signs nobody in; the token of the mail lets the account in', async () => {
    const email = anEmail();
    expect(await strict.signUp(email)).toMatchObject({
      viewer: null,
      tokens: null,
      verificationSent: true,
      errors: [],
    });
    expect((await strict.signIn(email)).errors).toMatchObject([{ code: 'INVALID_CREDENTIALS' }]);
    await strict.call('verifyEmail', { token: await strict.tokenTo(email, 'email.verification') });
    expect((await strict.signIn(email)).viewer).toMatchObject({ email, emailVerified: true });
  });

  test('a sign-up is answered in the same bytes for an address that has an account, whose owner is told', async () => {
    const { email } = await somebody();
    const unknown = JSON.stringify(await strict.signUp(anEmail()));
    expect(JSON.stringify(await strict.signUp(email))).toBe(unknown);
    expect((await app.mailsTo(email)).at(-1)).toMatchObject({ kind: 'account.exists' });
    expect((await userOf(email)).displayName).toBe('Amina');
  });

  test("a stranger's sign-up does not choose the password of the address's owner", async () => {
    const email = anEmail();
    await strict.signUp(email, { password: OTHER_PASSWORD, displayName: 'Thief' });
    await strict.signUp(email);
    await strict.call('verifyEmail', { token: await strict.tokenTo(email, 'email.verification') });
    expect((await strict.signIn(email, OTHER_PASSWORD)).errors).toHaveLength(1);
    expect((await strict.signIn(email)).errors).toEqual([]);
    expect((await userOf(email)).displayName).toBe('Amina');
  });

  test('nor that of an account which is used though it was never verified', async () => {
    const { email } = await somebody();
    await strict.signUp(email, { password: OTHER_PASSWORD });
    await strict.call('verifyEmail', { token: await strict.tokenTo(email, 'email.verification') });
    expect((await strict.signIn(email, OTHER_PASSWORD)).errors).toHaveLength(1);
    expect((await strict.signIn(email)).errors).toEqual([]);
  });

  test('two sign-ups at the same time make one account', async () => {
    const email = anEmail();
    const answers = await Promise.all([strict.signUp(email), strict.signUp(email)]);
    expect(answers).toMatchObject([{ verificationSent: true }, { verificationSent: true }]);
    expect(await strict.mailsTo(email)).toHaveLength(2);
  });

  test('an address gets five such mails in an hour', async () => {
    const email = anEmail();
    for (let count = 0; count < 7; count++) expect((await strict.signUp(email)).verificationSent).toBe(true);
    expect(await strict.mailsTo(email)).toHaveLength(5);
  });
});

describe('changeEmail', () => {
  const change = async (to: string, viewer: Awaited<ReturnType<typeof somebody>>['viewer']) =>
    app.call('changeEmail', { email: to }, { viewer });

  test('the new address counts when its token is given, and the old one is told', async () => {
    const { email, viewer } = await somebody();
    const next = anEmail();
    expect(await change(next, viewer)).toMatchObject({ ok: true });
    expect((await app.signIn(email)).viewer!.email).toBe(email);
    await app.call('verifyEmail', { token: await app.tokenTo(next, 'email.change') });
    expect((await app.signIn(next)).viewer).toMatchObject({ id: viewer.userId, email: next, emailVerified: true });
    expect((await app.signIn(email)).errors).toMatchObject([{ code: 'INVALID_CREDENTIALS' }]);
    expect((await app.mailsTo(email)).at(-1)).toMatchObject({ kind: 'email.changed' });
  });

  test('links that were sent before are worth nothing afterwards', async () => {
    const { email, viewer } = await somebody();
    const next = anEmail();
    await app.call('requestPasswordReset', { email });
    const other = anEmail();
    await change(other, viewer);
    await change(next, viewer);
    await app.call('verifyEmail', { token: await app.tokenTo(next, 'email.change') });
    for (const [to, kind] of [
      [email, 'email.verification'],
      [other, 'email.change'],
    ] as const)
      expect(await app.codes('verifyEmail', { token: await app.tokenTo(to, kind) })).toEqual(['INVALID_TOKEN']);
    const token = await app.tokenTo(email, 'password.reset');
    expect(await app.codes('resetPassword', { token, newPassword: OTHER_PASSWORD })).toEqual(['INVALID_TOKEN']);
  });

  test('answers in the same bytes for an address that has an account, whose owner is told', async () => {
    const { viewer } = await somebody();
    const taken = (await somebody()).email;
    const free = JSON.stringify(await change(anEmail(), viewer));
    expect(JSON.stringify(await change(taken, viewer))).toBe(free);
    expect((await app.mailsTo(taken)).at(-1)).toMatchObject({ kind: 'email.taken' });
    expect((await app.mailsTo(taken)).at(-1)!.text).not.toContain('token');
  });

  test('of two accounts that want one address the first to prove it gets it', async () => {
    const [one, two] = [await somebody(), await somebody()];
    const wanted = anEmail();
    await change(wanted, one.viewer);
    const first = await app.tokenTo(wanted, 'email.change');
    await change(wanted, two.viewer);
    const second = await app.tokenTo(wanted, 'email.change');
    const codes = await Promise.all([first, second].map((token) => app.codes('verifyEmail', { token })));
    expect(codes.flat()).toEqual(['INVALID_TOKEN']);
  });

  test('wants a proof of the last hour', async () => {
    const { viewer } = await somebody();
    app.later(FRESH_MS + 60_000);
    expect((await change(anEmail(), viewer)).errors).toMatchObject([{ code: 'REAUTHENTICATION_REQUIRED' }]);
  });

  test.each([
    'nobody',
    'a@b.example, c@d.example',
    'a@b.example\r\nBcc: c@d.example',
    '<a@b.example>',
    'a;b@c.example',
  ])('refuses %j', async (to) => {
    const { viewer } = await somebody();
    expect((await change(to, viewer)).errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'email'] }]);
  });

  test('is for people who are signed in', async () => {
    await expect(app.call('changeEmail', { email: anEmail() })).rejects.toThrow('UNAUTHENTICATED');
  });
});

test('an address that only looks the same gets no mail of the account', async () => {
  const { email } = await somebody();
  const kelvin = email.replace('mwanga', 'mwanga').replace('person', 'perſon'); // ſ is folded to s by some, not by us
  await app.call('requestPasswordReset', { email: kelvin });
  await app.call('requestPasswordReset', { email: email.toUpperCase() });
  expect(await app.mailsTo(kelvin)).toEqual([]);
  expect(await app.mailsTo(email.toUpperCase())).toEqual([]);
  expect((await app.mailsTo(email)).filter(({ kind }) => kind === 'password.reset')).toHaveLength(1);
});

test('passwords never leave the server in a mail', async () => {
  const { email } = await somebody();
  await strict.signUp(email);
  expect(JSON.stringify(await app.mailsTo(email))).not.toContain(PASSWORD);
});
