import type { Viewer } from '../../../platform/identity/viewer';
import { newId } from '../../../platform/ids';
import { viewerTopic } from '../events';
import { codeOfApp, openUsersStage, PASSWORD, type Problem, type UsersStage } from '../testing';

const ERRORS = 'errors { code path retryAfterMs }';
const ENROLL = `mutation ($name: String!) { result: enrollTotp(input: { name: $name }) { factorId secret uri ${ERRORS} } }`;
const CONFIRM = `mutation ($id: ID!, $code: String!) {
  result: confirmTotp(input: { factorId: $id, code: $code }) { recoveryCodes user { id } ${ERRORS} }
}`;
const REMOVE = `mutation ($id: ID!) { result: removeMfaFactor(input: { id: $id }) { user { id } recoveryCodes ${ERRORS} } }`;
const REAUTHENTICATE = `mutation ($input: ReauthenticateInput!) { result: reauthenticate(input: $input) { ok ${ERRORS} } }`;
const LIST = '{ result: viewer { mfaFactors { id kind name codesLeft } } }';

interface Enrolled {
  factorId: string | null;
  secret: string | null;
  uri: string | null;
  errors: Problem[];
}
interface Confirmed {
  recoveryCodes: string[] | null;
  user: { id: string } | null;
  errors: Problem[];
}

let stage: UsersStage;
beforeAll(async () => {
  stage = await openUsersStage();
});
beforeEach(() => {
  stage.clock.ms = Date.now();
});
afterAll(() => stage[Symbol.asyncDispose]());

const enroll = (viewer: Viewer, name = 'Phone'): Promise<Enrolled> => stage.result(ENROLL, { name }, viewer);
const confirm = (viewer: Viewer, id: string, code: string): Promise<Confirmed> =>
  stage.result(CONFIRM, { id, code }, viewer);
const remove = (viewer: Viewer, id: string): Promise<Confirmed> => stage.result(REMOVE, { id }, viewer);
const reauthenticate = (viewer: Viewer, input: object): Promise<{ ok: boolean; errors: Problem[] }> =>
  stage.result(REAUTHENTICATE, { input }, viewer);
const factorsOf = async (viewer: Viewer) =>
  (
    await stage.result<{ mfaFactors: { id: string; kind: string; name: string; codesLeft: number | null }[] }>(
      LIST,
      {},
      viewer,
    )
  ).mfaFactors;
const codesOf = ({ errors }: { errors: Problem[] }): string[] =>
  errors.map(({ code, path }) => `${code} ${path?.join('.') ?? ''}`.trim());

/** A person whose account has an app; the step of its first code is used up. */
async function withApp(): Promise<{ viewer: Viewer; email: string; id: string; secret: string; recovery: string[] }> {
  const person = await stage.aPerson();
  const { factorId, secret } = await enroll(person.viewer);
  const { recoveryCodes } = await confirm(person.viewer, factorId!, codeOfApp(secret!, stage.clock.ms));
  return { ...person, id: factorId!, secret: secret!, recovery: recoveryCodes! };
}

test('an app is on when a code of it was given, and the recovery codes are shown once', async () => {
  const { viewer, email } = await stage.aPerson();
  const { factorId, secret, uri } = await enroll(viewer, " Amina's phone ");
  expect(await factorsOf(viewer)).toEqual([]);
  const label = encodeURIComponent(email);
  expect(uri).toBe(`otpauth://totp/Sauti:${label}?issuer=Sauti&secret=${secret}&algorithm=SHA1&digits=6&period=30`);
  const code = codeOfApp(secret!, stage.clock.ms);
  const { recoveryCodes, errors } = await confirm(viewer, factorId!, `${code.slice(0, 3)} ${code.slice(3)}`);
  expect(errors).toEqual([]);
  expect(recoveryCodes).toHaveLength(10);
  expect(new Set(recoveryCodes).size).toBe(10);
  for (const recoveryCode of recoveryCodes!)
    expect(recoveryCode).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/);
  expect(await factorsOf(viewer)).toEqual([
    { id: factorId, kind: 'TOTP', name: "Amina's phone", codesLeft: null },
    { id: expect.stringMatching(/^mfa_/), kind: 'RECOVERY_CODES', name: 'Recovery codes', codesLeft: 10 },
  ]);
});

test('neither secrets nor recovery codes are kept as they are', async () => {
  const { viewer, secret, recovery } = await withApp();
  const { prisma } = stage.opened.platform.database;
  const where = { userId: viewer.userId };
  const kept = JSON.stringify(
    await Promise.all([prisma.recoveryCode.findMany({ where }), prisma.mfaFactor.findMany({ where })]),
    (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  );
  for (const text of [secret, ...recovery, ...recovery.map((code) => code.replaceAll('-', ''))])
    expect(kept).not.toContain(text);
});

test('switching on and off is in the audit log, in a mail, and news for the devices of the account', async () => {
  const { viewer, email, id } = await withApp();
  const { events } = stage.opened.platform;
  const head = await events.head(viewerTopic(viewer.userId));
  await remove(viewer, id);
  expect(await stage.auditOf(id)).toEqual(['mfa.added', 'mfa.removed']);
  expect(await stage.mailsTo(email)).toEqual(
    expect.arrayContaining(['A second factor was added', 'A second factor was removed']),
  );
  expect(await events.head(viewerTopic(viewer.userId))).toBe(head + 1);
});

test.each([
  ['enrollTotp', (viewer: Viewer) => enroll(viewer)],
  ['confirmTotp', (viewer: Viewer) => confirm(viewer, newId('mfa'), '000000')],
  ['removeMfaFactor', (viewer: Viewer) => remove(viewer, newId('mfa'))],
])('%s needs a proof of the last hour', async (_name, act) => {
  const { viewer } = await stage.aPerson();
  expect(codesOf(await act({ ...viewer, sessionId: newId('key') }))).toEqual(['REAUTHENTICATION_REQUIRED']);
  stage.clock.ms += 3_600_000 + 60_000;
  expect(codesOf(await act(viewer))).toEqual(['REAUTHENTICATION_REQUIRED']);
  await reauthenticate(viewer, { password: PASSWORD });
  expect(codesOf(await act(viewer))).not.toEqual(['REAUTHENTICATION_REQUIRED']);
});

describe('an app is not switched on', () => {
  test('by a wrong code, or one of two steps before or after', async () => {
    const { viewer } = await stage.aPerson();
    const { factorId, secret } = await enroll(viewer);
    const taken = [-1, 0, 1].map((steps) => codeOfApp(secret!, stage.clock.ms, steps));
    const wrong = ['000000', '999999'].find((code) => !taken.includes(code))!;
    const codes = [
      wrong,
      '',
      '12345',
      'x'.repeat(1_000),
      ...[-2, 2].map((steps) => codeOfApp(secret!, stage.clock.ms, steps)),
    ];
    for (const code of codes.filter((candidate) => !taken.includes(candidate)))
      expect(codesOf(await confirm(viewer, factorId!, code))).toEqual(['INVALID_TOKEN input.code']);
    expect(await factorsOf(viewer)).toEqual([]);
  });

  test('by somebody else, after another was begun, after an hour, or twice', async () => {
    const [viewer, other] = [(await stage.aPerson()).viewer, (await stage.aPerson()).viewer];
    const { factorId, secret } = await enroll(viewer);
    const code = (): string => codeOfApp(secret!, stage.clock.ms);
    const unknown = await confirm(other, newId('mfa'), code());
    expect(codesOf(unknown)).toEqual(['NOT_FOUND input.factorId']);
    expect(await confirm(other, factorId!, code())).toEqual(unknown);
    const second = await enroll(viewer);
    expect(await confirm(viewer, factorId!, code())).toEqual(unknown);
    await confirm(viewer, second.factorId!, codeOfApp(second.secret!, stage.clock.ms));
    expect(await confirm(viewer, second.factorId!, codeOfApp(second.secret!, stage.clock.ms, 1))).toEqual(unknown);

    const late = await enroll(viewer);
    stage.clock.ms += 3_600_001;
    await reauthenticate(viewer, { password: PASSWORD });
    expect(await confirm(viewer, late.factorId!, codeOfApp(late.secret!, stage.clock.ms))).toEqual(unknown);
  });

  test('with a name that is none, or as the eleventh', async () => {
    const { viewer } = await stage.aPerson();
    for (const name of ['', ' ', 'a\u0007', 'x'.repeat(101)])
      expect(codesOf(await enroll(viewer, name))).toEqual(['INVALID_INPUT input.name']);
    for (let index = 0; index < 10; index++) {
      const { factorId, secret } = await enroll(viewer);
      await confirm(viewer, factorId!, codeOfApp(secret!, stage.clock.ms));
    }
    expect(codesOf(await enroll(viewer))).toEqual(['INVALID_STATE input.name']);
  });
});

test('a second app makes no new recovery codes while some are left', async () => {
  const { viewer } = await withApp();
  const { factorId, secret } = await enroll(viewer, 'Tablet');
  expect((await confirm(viewer, factorId!, codeOfApp(secret!, stage.clock.ms))).recoveryCodes).toBeNull();
});

test('with the last app the recovery codes and the trusted devices go, too', async () => {
  const { viewer, id } = await withApp();
  const second = await enroll(viewer, 'Tablet');
  await confirm(viewer, second.factorId!, codeOfApp(second.secret!, stage.clock.ms));
  const { prisma } = stage.opened.platform.database;
  const expiresAt = new Date(stage.clock.ms + 1_000_000);
  await prisma.trustedDevice.create({ data: { tokenHash: viewer.userId, userId: viewer.userId, expiresAt } });
  const left = (): Promise<number[]> =>
    Promise.all([
      prisma.recoveryCode.count({ where: { userId: viewer.userId } }),
      prisma.trustedDevice.count({ where: { userId: viewer.userId } }),
    ]);
  expect(await remove(viewer, id)).toEqual({ user: { id: viewer.userId }, recoveryCodes: null, errors: [] });
  expect(await left()).toEqual([10, 1]);
  await remove(viewer, second.factorId!);
  expect(await left()).toEqual([0, 0]);
  expect(await factorsOf(viewer)).toEqual([]);
});

test('removing the recovery codes makes new ones', async () => {
  const { viewer, recovery } = await withApp();
  const codes = (await factorsOf(viewer)).find(({ kind }) => kind === 'RECOVERY_CODES')!;
  const { recoveryCodes } = await remove(viewer, codes.id);
  expect(recoveryCodes).toHaveLength(10);
  expect(recoveryCodes!.filter((code) => recovery.includes(code))).toEqual([]);
  expect(await stage.auditOf(viewer.userId)).toContain('mfa.recoveryCodesMade');
});

test('foreign factors, foreign recovery codes, unknown ones and what is none cannot be removed, and are answered alike', async () => {
  const [owner, other] = [await withApp(), await withApp()];
  const foreign = (await factorsOf(owner.viewer)).map(({ id }) => id);
  const pending = (await enroll(other.viewer)).factorId!;
  const ids = [...foreign, pending, newId('mfa'), 'mfa_\u0000', owner.viewer.sessionId];
  const answers = await Promise.all(ids.map((id) => remove(other.viewer, id)));
  expect(codesOf(answers[0]!)).toEqual(['NOT_FOUND input.id']);
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(await factorsOf(owner.viewer)).toHaveLength(2);
});

test('an account without an app has no recovery codes to renew', async () => {
  const { viewer } = await stage.aPerson();
  expect(codesOf(await remove(viewer, `mfa_${viewer.userId.slice(4)}`))).toEqual(['NOT_FOUND input.id']);
});

test('others do not see the factors of an account', async () => {
  const [owner, other] = [await withApp(), await stage.aPerson()];
  const query = `query ($id: ID!) {
    result: _entities(representations: [{ __typename: "User", id: $id }]) { ... on User { mfaFactors { id } } }
  }`;
  expect(await stage.result(query, { id: owner.viewer.userId }, other.viewer)).toEqual([null]);
});

describe('reauthenticate', () => {
  test('takes the password or a code of the app, each code once, and no recovery code', async () => {
    const { viewer, secret, recovery } = await withApp();
    stage.clock.ms += 30_000;
    expect(await reauthenticate(viewer, { password: PASSWORD })).toEqual({ ok: true, errors: [] });
    const code = codeOfApp(secret, stage.clock.ms);
    expect(await reauthenticate(viewer, { code })).toEqual({ ok: true, errors: [] });
    for (const refused of [code, recovery[0]!])
      expect(codesOf(await reauthenticate(viewer, { code: refused }))).toEqual(['INVALID_TOKEN input.code']);
    expect(codesOf(await reauthenticate(viewer, { password: `${PASSWORD}.` }))).toEqual([
      'INVALID_CREDENTIALS input.password',
    ]);
    expect(await stage.auditOf(viewer.sessionId)).toEqual(
      expect.arrayContaining(['session.reauthenticated', 'signIn.failed']),
    );
  });

  test('takes nothing after five wrong proofs, from that session only', async () => {
    const person = await stage.aPerson();
    const { viewer } = person;
    const wrong = await Promise.all(
      Array.from({ length: 20 }, () => reauthenticate(viewer, { password: 'wrong one' })),
    );
    expect(wrong.flatMap(codesOf).filter((code) => code === 'RATE_LIMITED')).toHaveLength(15);
    expect(codesOf(await reauthenticate(viewer, { password: PASSWORD }))).toEqual(['RATE_LIMITED']);
    expect((await reauthenticate(await stage.signIn(person.email), { password: PASSWORD })).ok).toBe(true);
    stage.clock.ms += 15 * 60_000 + 1;
    expect((await reauthenticate(viewer, { password: PASSWORD })).ok).toBe(true);
  });

  test('takes neither nothing nor two proofs, nothing of an API key, and nothing for a session that has ended', async () => {
    const { viewer } = await stage.aPerson();
    for (const input of [{}, { password: PASSWORD, code: '000000' }])
      expect(codesOf(await reauthenticate(viewer, input))).toEqual(['INVALID_INPUT input.password']);
    expect(codesOf(await reauthenticate({ ...viewer, sessionId: newId('key') }, { password: PASSWORD }))).toEqual([
      'FORBIDDEN',
    ]);
    await stage.result('mutation { result: endSessions(input: {}) { ended } }', {}, viewer);
    expect(codesOf(await reauthenticate(viewer, { password: PASSWORD }))).toEqual(['TOKEN_EXPIRED']);
    expect(await stage.errorsOf(REAUTHENTICATE, { input: {} })).toEqual(['UNAUTHENTICATED']);
  });
});
