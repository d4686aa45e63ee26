import type { Viewer } from '../../../platform/identity/viewer';
import { codeOfApp, openUsersStage, PASSWORD, type Problem, type UsersStage } from '../testing';

const PAYLOAD = `viewer { id email } session { id assurance deviceName } tokens { accessToken } deviceToken
  mfa { token methods expiresAt } errors { code path retryAfterMs }`;
const SIGN_IN = `mutation ($input: SignInInput!) { result: signIn(input: $input) { ${PAYLOAD} } }`;
const VERIFY = `mutation ($input: VerifyMfaInput!) { result: verifyMfa(input: $input) { ${PAYLOAD} } }`;

interface SignInPayload {
  viewer: { id: string; email: string } | null;
  session: { id: string; assurance: string; deviceName: string | null } | null;
  tokens: { accessToken: string } | null;
  deviceToken: string | null;
  mfa: { token: string; methods: string[]; expiresAt: string } | null;
  errors: (Problem & { retryAfterMs: number | null })[];
}

let stage: UsersStage;
beforeAll(async () => {
  stage = await openUsersStage();
});
beforeEach(() => {
  stage.clock.ms = Date.now();
});
afterAll(() => stage[Symbol.asyncDispose]());

const signIn = (email: string, more: object = {}): Promise<SignInPayload> =>
  stage.result(SIGN_IN, { input: { email, password: PASSWORD, ...more } });
const challenge = async (email: string, more: object = {}): Promise<string> => (await signIn(email, more)).mfa!.token;
const verify = (token: string, code: string, trustDevice?: boolean): Promise<SignInPayload> =>
  stage.result(VERIFY, { input: { token, code, ...(trustDevice === undefined ? {} : { trustDevice }) } });
const codesOf = ({ errors }: SignInPayload): string[] =>
  errors.map(({ code, path }) => `${code} ${path?.join('.') ?? ''}`.trim());

interface Person {
  viewer: Viewer;
  email: string;
  /** A code that was not used yet; each call is half a minute later. */
  nextCode: () => string;
  wrongCode: () => string;
  recovery: string[];
}

async function withApp(): Promise<Person> {
  const person = await stage.aPerson();
  const { factorId, secret } = await stage.result<{ factorId: string; secret: string }>(
    'mutation { result: enrollTotp(input: { name: "Phone" }) { factorId secret } }',
    {},
    person.viewer,
  );
  const { recoveryCodes } = await stage.result<{ recoveryCodes: string[] }>(
    `mutation ($input: ConfirmTotpInput!) { result: confirmTotp(input: $input) { recoveryCodes } }`,
    { input: { factorId, code: codeOfApp(secret, stage.clock.ms) } },
    person.viewer,
  );
  return {
    ...person,
    recovery: recoveryCodes,
    nextCode() {
      stage.clock.ms += 30_000;
      return codeOfApp(secret, stage.clock.ms);
    },
    wrongCode() {
      const right = [-1, 0, 1].map((steps) => codeOfApp(secret, stage.clock.ms, steps));
      return ['000000', '111111', '222222', '333333'].find((code) => !right.includes(code))!;
    },
  };
}

test('an account with an app is signed in by password and code, and not by the password alone', async () => {
  const { email, viewer, nextCode } = await withApp();
  const first = await signIn(email, { deviceName: 'Laptop' });
  expect(first).toMatchObject({ viewer: null, session: null, tokens: null, deviceToken: null, errors: [] });
  expect(first.mfa!.methods).toEqual(['TOTP', 'RECOVERY_CODES']);
  expect(first.mfa!.expiresAt).toBe(new Date(stage.clock.ms + 300_000).toISOString());
  const second = await verify(first.mfa!.token, nextCode());
  expect(second).toMatchObject({
    viewer: { id: viewer.userId, email },
    session: { assurance: 'MFA', deviceName: 'Laptop' },
    deviceToken: null,
    mfa: null,
    errors: [],
  });
  expect(second.tokens!.accessToken).toBeTruthy();
  expect(await stage.auditOf(second.session!.id)).toEqual(['session.started']);
});

test('a code works once, also on another sign-in, and so do those before it', async () => {
  const { email, nextCode } = await withApp();
  const [early, code] = [nextCode(), nextCode()];
  expect((await verify(await challenge(email), code)).errors).toEqual([]);
  for (const used of [code, early])
    expect(codesOf(await verify(await challenge(email), used))).toEqual(['INVALID_TOKEN input.code']);
});

test('the code that switched the app on does not sign in', async () => {
  const person = await stage.aPerson();
  const { factorId, secret } = await stage.result<{ factorId: string; secret: string }>(
    'mutation { result: enrollTotp(input: { name: "Phone" }) { factorId secret } }',
    {},
    person.viewer,
  );
  const code = codeOfApp(secret, stage.clock.ms);
  await stage.result(
    `mutation ($input: ConfirmTotpInput!) { result: confirmTotp(input: $input) { user { id } } }`,
    { input: { factorId, code } },
    person.viewer,
  );
  expect(codesOf(await verify(await challenge(person.email), code))).toEqual(['INVALID_TOKEN input.code']);
});

test('of parallel uses of one code, on one challenge or several, one signs in', async () => {
  const { email, nextCode, recovery } = await withApp();
  const tokens = await Promise.all([challenge(email), challenge(email), challenge(email)]);
  const code = nextCode();
  const answers = await Promise.all([...tokens, ...tokens].map((token) => verify(token, code)));
  expect(answers.filter(({ tokens: opened }) => opened !== null)).toHaveLength(1);
  const again = await Promise.all([challenge(email), challenge(email)]);
  const uses = await Promise.all([...again, ...again].map((token) => verify(token, recovery[0]!)));
  expect(uses.filter(({ tokens: opened }) => opened !== null)).toHaveLength(1);
});

test('a challenge takes five codes, works once, and for five minutes', async () => {
  const { email, nextCode, wrongCode } = await withApp();
  const guessed = await challenge(email);
  for (let guess = 0; guess < 5; guess++)
    expect(codesOf(await verify(guessed, wrongCode()))).toEqual(['INVALID_TOKEN input.code']);
  expect(codesOf(await verify(guessed, nextCode()))).toEqual(['INVALID_TOKEN input.token']);

  const used = await challenge(email);
  await verify(used, nextCode());
  expect(codesOf(await verify(used, nextCode()))).toEqual(['INVALID_TOKEN input.token']);

  const late = await challenge(email);
  stage.clock.ms += 300_000;
  expect(codesOf(await verify(late, nextCode()))).toEqual(['INVALID_TOKEN input.token']);
  for (const none of ['', 'x', 'y'.repeat(10_000)])
    expect(codesOf(await verify(none, nextCode()))).toEqual(['INVALID_TOKEN input.token']);
});

test('of a thousand guesses spread over sign-ins ten an hour are looked at, and a recovery code works nevertheless', async () => {
  const { email, nextCode, wrongCode, recovery } = await withApp();
  const { prisma } = stage.opened.platform.database;
  const tokens = await Promise.all(Array.from({ length: 4 }, () => challenge(email)));
  const guesses: SignInPayload[] = [];
  for (let round = 0; round < 50; round++)
    guesses.push(
      ...(await Promise.all(Array.from({ length: 20 }, (_, index) => verify(tokens[index % 4]!, wrongCode())))),
    );
  const looked = guesses.filter(({ errors }) => errors[0]!.code === 'INVALID_TOKEN');
  const refused = guesses.filter(({ errors }) => errors[0]!.code === 'RATE_LIMITED');
  expect([looked.length, refused.length]).toEqual([10, 990]);
  expect(refused.every(({ errors }) => errors[0]!.retryAfterMs! > 0 && errors[0]!.retryAfterMs! <= 3_600_000)).toBe(
    true,
  );
  expect(
    await prisma.auditEvent.count({ where: { action: 'signIn.failed', metadata: { equals: { step: 'mfa' } } } }),
  ).toBeGreaterThanOrEqual(10);

  expect(codesOf(await verify(await challenge(email), nextCode()))).toEqual(['RATE_LIMITED']);
  expect((await verify(await challenge(email), recovery[0]!)).errors).toEqual([]);
  stage.clock.ms += 3_600_000;
  expect((await verify(await challenge(email), nextCode())).errors).toEqual([]);
});

test('a recovery code works once, however it is typed, and its owner is told', async () => {
  const { email, viewer, recovery } = await withApp();
  const typed = ` ${recovery[0]!.toUpperCase().replaceAll('-', ' ').replaceAll('0', 'O').replaceAll('1', 'l')} `;
  expect(await verify(await challenge(email), typed)).toMatchObject({ session: { assurance: 'MFA' }, errors: [] });
  expect(codesOf(await verify(await challenge(email), recovery[0]!))).toEqual(['INVALID_TOKEN input.code']);
  expect((await verify(await challenge(email), recovery[1]!)).errors).toEqual([]);
  expect(await stage.mailsTo(email)).toContain('A recovery code was used');
  expect(await stage.auditOf(viewer.userId)).toEqual(
    expect.arrayContaining(['mfa.recoveryCodeUsed', 'mfa.recoveryCodeUsed']),
  );
});

test("somebody else's codes are wrong ones, and without recovery codes they are not asked for", async () => {
  const [one, two] = [await withApp(), await withApp()];
  const token = await challenge(one.email);
  expect(codesOf(await verify(token, two.nextCode()))).toEqual(['INVALID_TOKEN input.code']);
  expect(codesOf(await verify(token, two.recovery[0]!))).toEqual(['INVALID_TOKEN input.code']);
  const { prisma } = stage.opened.platform.database;
  await prisma.recoveryCode.updateMany({ where: { userId: one.viewer.userId }, data: { usedAt: new Date() } });
  expect((await signIn(one.email)).mfa!.methods).toEqual(['TOTP']);
});

test('an account that was suspended meanwhile does not get in, and its code is not used up', async () => {
  const { email, viewer, nextCode } = await withApp();
  const { prisma } = stage.opened.platform.database;
  const suspend = (status: 'SUSPENDED' | 'ACTIVE') =>
    prisma.user.update({ where: { id: viewer.userId }, data: { status } });
  const token = await challenge(email);
  await suspend('SUSPENDED');
  const code = nextCode();
  expect(codesOf(await verify(token, code))).toEqual(['INVALID_CREDENTIALS input']);
  await suspend('ACTIVE');
  expect((await verify(token, code)).errors).toEqual([]);
});

test('a change of the password ends the sign-ins that wait for a code', async () => {
  const { email, viewer, nextCode } = await withApp();
  const token = await challenge(email);
  const newPassword = 'another horse, another battery';
  await stage.result(
    'mutation ($input: ChangePasswordInput!) { result: changePassword(input: $input) { errors { code } } }',
    { input: { currentPassword: PASSWORD, newPassword } },
    viewer,
  );
  expect(codesOf(await verify(token, nextCode()))).toEqual(['INVALID_TOKEN input.token']);
  expect((await verify(await challenge(email, { password: newPassword }), nextCode())).errors).toEqual([]);
});

describe('a trusted device', () => {
  test('is not asked for a code for thirty days, with its own token and for its own account', async () => {
    const { email, nextCode } = await withApp();
    const { deviceToken } = await verify(await challenge(email), nextCode(), true);
    expect(deviceToken).toMatch(/^[\w-]{43}$/);
    expect(await signIn(email, { deviceToken })).toMatchObject({ session: { assurance: 'PASSWORD' }, mfa: null });
    for (const other of ['x', `${deviceToken!.slice(0, -1)}_`, 'y'.repeat(10_000)])
      expect((await signIn(email, { deviceToken: other })).mfa).not.toBeNull();
    expect((await signIn((await withApp()).email, { deviceToken })).mfa).not.toBeNull();

    stage.clock.ms += 30 * 24 * 3_600_000;
    expect((await signIn(email, { deviceToken })).mfa).not.toBeNull();
  });

  test('is asked again when its account forgets its devices, and only those of that account are forgotten', async () => {
    const [one, two] = [await withApp(), await withApp()];
    const tokenOf = async ({ email, nextCode }: Person) =>
      (await verify(await challenge(email), nextCode(), true)).deviceToken;
    const [first, second] = [await tokenOf(one), await tokenOf(two)];
    const forget = () =>
      stage.result('mutation { result: forgetTrustedDevices { user { id } errors { code } } }', {}, one.viewer);
    expect(await forget()).toEqual({ user: { id: one.viewer.userId }, errors: [] });
    expect(await forget()).toEqual({ user: { id: one.viewer.userId }, errors: [] });
    expect((await signIn(one.email, { deviceToken: first })).mfa).not.toBeNull();
    expect((await signIn(two.email, { deviceToken: second })).mfa).toBeNull();
    expect(await stage.auditOf(one.viewer.userId)).toContain('mfa.devicesForgotten');
    expect(await stage.errorsOf('mutation { forgetTrustedDevices { errors { code } } }')).toEqual(['UNAUTHENTICATED']);
  });

  test('is not made by a sign-in that does not ask for it', async () => {
    const { email, viewer, nextCode } = await withApp();
    expect((await verify(await challenge(email), nextCode())).deviceToken).toBeNull();
    const { prisma } = stage.opened.platform.database;
    expect(await prisma.trustedDevice.count({ where: { userId: viewer.userId } })).toBe(0);
  });
});
