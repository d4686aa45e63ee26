import { randomBytes } from 'node:crypto';
import { waitFor } from '../../../platform/testing/wait';
import { hashOfToken } from '../one-time-tokens';
import { hashPassword } from './passwords';
import { PASSWORD, TestAccounts, type Answer } from './testing';

const MINUTE_MS = 60_000;
const WRONG = 'a wrong password';
let app: TestAccounts;
let people = 0;

beforeAll(async () => {
  app = await TestAccounts.open();
});
afterAll(() => app[Symbol.asyncDispose]());

const anEmail = (): string => `person-${++people}@mwanga.example`;
const codesOf = ({ errors }: Answer): string[] => errors.map(({ code }) => code);
const prisma = () => app.test.platform.database.prisma;
async function anAccount(changes: Parameters<ReturnType<typeof prisma>['user']['update']>[0]['data'] = {}) {
  const email = anEmail();
  const { viewer } = await app.signUp(email);
  await prisma().user.update({ where: { id: viewer!.id }, data: changes });
  return { email, id: viewer!.id };
}
async function aTrustedDevice(userId: string, expiresAt = new Date(Date.now() + 86_400_000)): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  await prisma().trustedDevice.create({ data: { tokenHash: hashOfToken(token), userId, expiresAt } });
  return token;
}
async function failFiveTimes(email: string): Promise<void> {
  for (let count = 0; count < 5; count++)
    expect(codesOf(await app.signIn(email, WRONG))).toEqual(['INVALID_CREDENTIALS']);
}

const waitingForAccounts = async (): Promise<number> =>
  (
    await prisma().$queryRaw<unknown[]>`
      select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
         and query like '%for no key update%'`
  ).length;

describe('every refusal is the same', () => {
  const cases: Record<string, () => Promise<{ email: string; password?: string }>> = {
    'an unknown address': async () => ({ email: anEmail() }),
    'what is no address': async () => ({ email: 'nobody' }),
    'a wrong password': async () => ({ ...(await anAccount()), password: WRONG }),
    'a suspended account': () => anAccount({ status: 'SUSPENDED' }),
    'an account suspended until tomorrow': () =>
      anAccount({ status: 'SUSPENDED', suspensionEndsAt: new Date(Date.now() + 86_400_000) }),
    'an account without a password': () => anAccount({ passwordHash: null }),
    'a password of 1 MB': async () => ({ ...(await anAccount()), password: 'x'.repeat(1_000_000) }),
  };

  test('in every byte', async () => {
    const answers = new Set<string>();
    for (const prepare of Object.values(cases)) {
      const { email, password = PASSWORD } = await prepare();
      answers.add(JSON.stringify(await app.signIn(email, password)));
    }
    expect([...answers]).toHaveLength(1);
    expect([...answers][0]).toContain('INVALID_CREDENTIALS');
  });

  test('also where addresses are verified first, for one that is not', async () => {
    const strict = await TestAccounts.open({ requireVerifiedEmail: true }, app.test);
    const { email } = await anAccount();
    const refused = JSON.stringify(await strict.signIn(email));
    expect(refused).toBe(JSON.stringify(await strict.signIn(anEmail())));
    expect((await app.mailsTo(email)).at(-1)).toMatchObject({ kind: 'email.verification' });
    // Whoever does not know the password sends no mails.
    const before = (await app.mailsTo(email)).length;
    await strict.signIn(email, WRONG);
    expect(await app.mailsTo(email)).toHaveLength(before);
  });
});

describe('attempts', () => {
  test('five wrong passwords in 15 minutes leave no more, not even the right one; then there are five again', async () => {
    const { email } = await anAccount();
    await failFiveTimes(email);
    const [refused] = (await app.signIn(email)).errors;
    expect(refused).toMatchObject({ code: 'RATE_LIMITED' });
    expect(refused!.retryAfterMs).toBeGreaterThan(0);
    expect(refused!.retryAfterMs).toBeLessThanOrEqual(15 * MINUTE_MS);
    app.later(15 * MINUTE_MS + 1);
    expect(codesOf(await app.signIn(email))).toEqual([]);
  });

  test('an unknown address has as many, whatever case and spaces it is written with', async () => {
    const email = anEmail();
    await failFiveTimes(email);
    expect(codesOf(await app.signIn(` ${email.toUpperCase()} `, WRONG))).toEqual(['RATE_LIMITED']);
  });

  test('of a hundred at once five are let through', async () => {
    const { email } = await anAccount();
    const answers = await Promise.all(Array.from({ length: 100 }, () => app.signIn(email, WRONG)));
    const codes = answers.flatMap(codesOf);
    expect(codes.filter((code) => code === 'INVALID_CREDENTIALS')).toHaveLength(5);
    expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(95);
  });

  test('signing in forgets those before', async () => {
    const { email } = await anAccount();
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < 4; count++) await app.signIn(email, WRONG);
      expect(codesOf(await app.signIn(email))).toEqual([]);
    }
  });

  test("a stranger's attempts end no session of the account's, and do not lock a trusted device out", async () => {
    const { email, id } = await anAccount();
    const { tokens } = await app.signIn(email);
    const deviceToken = await aTrustedDevice(id);
    await failFiveTimes(email);
    expect(await app.codes('signIn', { email, password: PASSWORD })).toEqual(['RATE_LIMITED']);
    expect(await app.codes('refreshSession', { refreshToken: tokens!.refreshToken })).toEqual([]);
    expect(await app.codes('signIn', { email, password: PASSWORD, deviceToken })).toEqual([]);
    const cookies = { refreshToken: null, deviceToken };
    expect(await app.codes('signIn', { email, password: PASSWORD }, { client: { cookies } })).toEqual([]);
  });

  test('a trusted device has five attempts of its own', async () => {
    const { email, id } = await anAccount();
    const deviceToken = await aTrustedDevice(id);
    for (let count = 0; count < 5; count++) await app.call('signIn', { email, password: WRONG, deviceToken });
    expect(await app.codes('signIn', { email, password: PASSWORD, deviceToken })).toEqual(['RATE_LIMITED']);
    expect(await app.codes('signIn', { email, password: PASSWORD })).toEqual([]);
  });

  test("neither another account's device, nor one whose trust is over, has any", async () => {
    const { email, id } = await anAccount();
    const others = await aTrustedDevice((await anAccount()).id);
    const old = await aTrustedDevice(id, new Date(0));
    await failFiveTimes(email);
    for (const deviceToken of [others, old, 'x'.repeat(100_000)])
      expect(await app.codes('signIn', { email, password: PASSWORD, deviceToken })).toEqual(['RATE_LIMITED']);
  });

  test('leave no address in the database', async () => {
    const email = anEmail();
    await app.signIn(email, WRONG);
    const counts = await prisma().attemptCount.findMany();
    const events = await prisma().auditEvent.findMany({ where: { action: 'signIn.failed' } });
    expect(counts.length).toBeGreaterThan(0);
    expect(JSON.stringify([counts, events])).not.toContain(email);
  });

  test('are in the audit log, and a flood of them once', async () => {
    const { email, id } = await anAccount();
    for (let count = 0; count < 9; count++) await app.signIn(email, WRONG);
    const actions = (await app.auditOf(id)).map(({ action }) => action);
    expect(actions.filter((action) => action === 'signIn.failed')).toHaveLength(5);
    expect(actions.filter((action) => action === 'signIn.blocked')).toHaveLength(1);
  });
});

describe('whoever is let in', () => {
  test('has signed in at that time, on a device with a place', async () => {
    const { email, id } = await anAccount();
    const { session } = await app.call('signIn', { email, password: PASSWORD, deviceName: 'Phone' });
    const row = await prisma().session.findUniqueOrThrow({ where: { id: session!.id } });
    expect(row).toMatchObject({
      deviceName: 'Phone',
      ipAddress: '192.0.2.7',
      userAgent: 'Test',
      assurance: 'PASSWORD',
    });
    expect((await prisma().user.findUniqueOrThrow({ where: { id } })).lastSignInAt).not.toBeNull();
    expect((await app.auditOf(id)).map(({ action }) => action)).toContain('session.started');
  });

  test('is not suspended any more when that has ended', async () => {
    const { email, id } = await anAccount({
      status: 'SUSPENDED',
      suspensionReason: 'spam',
      suspensionEndsAt: new Date(Date.now() - 1),
    });
    expect(codesOf(await app.signIn(email))).toEqual([]);
    expect(await prisma().user.findUniqueOrThrow({ where: { id } })).toMatchObject({
      status: 'ACTIVE',
      suspensionReason: null,
      suspensionEndsAt: null,
    });
  });

  test('did not give a password that was changed while it was compared', async () => {
    const { email, id } = await anAccount();
    const passwordHash = await hashPassword('another good password');
    // The change is not committed before the sign-in has read the account and waits for its lock.
    let signingIn: Promise<Answer> | undefined;
    await prisma().$transaction(async (tx) => {
      await tx.user.update({ where: { id }, data: { passwordHash } });
      signingIn = app.signIn(email);
      await waitFor('the sign-in to wait for the account', async () => (await waitingForAccounts()) > 0);
    });
    expect(codesOf(await signingIn!)).toEqual(['INVALID_CREDENTIALS']);
  });
});
