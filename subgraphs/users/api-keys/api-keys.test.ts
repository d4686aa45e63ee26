import { hashOfApiKey } from '../../../platform/identity/api-key';
import type { Viewer } from '../../../platform/identity/viewer';
import { newId } from '../../../platform/ids';
import { accessTopic, viewerTopic } from '../events';
import { openUsersStage, PASSWORD, type Problem, type UsersStage } from '../testing';

const CREATE = `mutation ($input: CreateApiKeyInput!) {
  result: createApiKey(input: $input) {
    key apiKey { id name prefix scopes lastUsedAt expiresAt createdAt } errors { code message path }
  }
}`;
const REVOKE = `mutation ($id: ID!) {
  result: revokeApiKey(input: { id: $id }) { user { id } errors { code message path } }
}`;
const LIST = '{ result: viewer { apiKeys { id prefix lastUsedAt } } }';

interface Created {
  key: string | null;
  apiKey: { id: string; prefix: string; scopes: string[]; expiresAt: string | null } | null;
  errors: (Problem & { message: string })[];
}

let stage: UsersStage;
beforeAll(async () => {
  stage = await openUsersStage();
});
beforeEach(() => {
  stage.clock.ms = Date.now();
});
afterAll(() => stage[Symbol.asyncDispose]());

const create = (viewer: Viewer | null, input: Record<string, unknown> = {}): Promise<Created> =>
  stage.result(CREATE, { input: { name: 'CI', scopes: ['media:read'], ...input } }, viewer);
const revoke = (viewer: Viewer, id: string): Promise<{ user: object | null; errors: Problem[] }> =>
  stage.result(REVOKE, { id }, viewer);
const keysOf = async (viewer: Viewer): Promise<{ id: string; lastUsedAt: string | null }[]> =>
  (await stage.result<{ apiKeys: { id: string; lastUsedAt: string | null }[] }>(LIST, {}, viewer)).apiKeys;
const verify = (key: string) => stage.users.verifyApiKey(hashOfApiKey(key));
const refusalOf = async (answer: Promise<Created>): Promise<string> => {
  const { key, apiKey, errors } = await answer;
  expect([key, apiKey]).toEqual([null, null]);
  return errors.map(({ code, path }) => `${code} ${path?.join('.') ?? ''}`).join();
};
const prisma = () => stage.opened.platform.database.prisma;

test('a key is shown once: what is kept of it is its beginning and its hash', async () => {
  const { viewer } = await stage.aPerson();
  const { key, apiKey, errors } = await create(viewer, {
    name: ' Build server ',
    scopes: ['media:read', 'media:read'],
  });
  expect(errors).toEqual([]);
  expect(apiKey).toMatchObject({ name: 'Build server', scopes: ['media:read'], lastUsedAt: null, expiresAt: null });
  expect(key).toMatch(/^sauti_[0-9a-f]{8}_[\w-]{43}$/);
  expect(key!.startsWith(`${apiKey!.prefix}_`)).toBe(true);
  const [kept] = await prisma().apiKey.findMany({ where: { id: apiKey!.id } });
  expect(JSON.stringify(kept)).not.toContain(key!.slice(apiKey!.prefix.length + 1));
  expect(await stage.result(LIST, {}, viewer)).toEqual({
    apiKeys: [{ id: apiKey!.id, prefix: apiKey!.prefix, lastUsedAt: null }],
  });
});

test.each([
  ['no scope', { scopes: [] }, 'INVALID_INPUT input.scopes'],
  ['a scope that does not exist', { scopes: ['media:read', 'media:*'] }, 'INVALID_INPUT input.scopes'],
  ['a scope of administrators', { scopes: ['admin:users'] }, 'FORBIDDEN input.scopes'],
  ['the scope that is for people', { scopes: ['account:security'] }, 'FORBIDDEN input.scopes'],
  ['an end that is over', { expiresAt: '2020-01-01T00:00:00Z' }, 'INVALID_INPUT input.expiresAt'],
  ['no name', { name: '  ' }, 'INVALID_INPUT input.name'],
  ['a name of two lines', { name: 'a\nb' }, 'INVALID_INPUT input.name'],
  ['a name of 101 characters', { name: 'x'.repeat(101) }, 'INVALID_INPUT input.name'],
])('a key with %s is not made', async (_what, input, refusal) => {
  const { viewer } = await stage.aPerson();
  expect(await refusalOf(create(viewer, input))).toBe(refusal);
  expect(await keysOf(viewer)).toEqual([]);
});

test('making a key needs a proof of the last hour, and no key can make another', async () => {
  const { viewer } = await stage.aPerson();
  expect(await stage.errorsOf(CREATE, { input: { name: 'x', scopes: ['media:read'] } })).toEqual(['UNAUTHENTICATED']);
  const { apiKey } = await create(viewer);
  expect(await refusalOf(create({ ...viewer, sessionId: apiKey!.id }))).toBe('REAUTHENTICATION_REQUIRED ');
  stage.clock.ms += 3_600_000 + 60_000;
  expect(await refusalOf(create(viewer))).toBe('REAUTHENTICATION_REQUIRED ');
  await stage.result(
    'mutation ($password: String!) { result: reauthenticate(input: { password: $password }) { ok } }',
    { password: PASSWORD },
    viewer,
  );
  expect((await create(viewer)).errors).toEqual([]);
});

test('the proof of a session that has ended makes no key', async () => {
  const { viewer } = await stage.aPerson();
  await prisma().session.update({ where: { id: viewer.sessionId }, data: { endedAt: new Date(stage.clock.ms) } });
  expect(await refusalOf(create(viewer))).toBe('REAUTHENTICATION_REQUIRED ');
});

test('of keys made at once no more than fifty come to be', async () => {
  const { viewer } = await stage.aPerson();
  const key = { userId: viewer.userId, name: 'CI', prefix: 'sauti_00000000', scopes: ['media:read'] };
  const others = Array.from({ length: 45 }, () => ({ ...key, id: newId('key'), keyHash: newId('key') }));
  await prisma().apiKey.createMany({ data: others });
  const answers = await Promise.all(Array.from({ length: 8 }, () => create(viewer)));
  expect(answers.filter((answer) => answer.key !== null)).toHaveLength(5);
  expect(answers.flatMap(({ errors }) => errors.map(({ code }) => code))).toEqual(Array(3).fill('INVALID_STATE'));
  await revoke(viewer, others[0]!.id);
  expect((await create(viewer)).errors).toEqual([]);
});

describe('a key stands for its account', () => {
  test('with its own scopes, of which those count that the account still has', async () => {
    const { viewer } = await stage.aPerson();
    await prisma().user.update({ where: { id: viewer.userId }, data: { roles: ['ADMIN'] } });
    const { key, apiKey } = await create(viewer, { scopes: ['admin:audit', 'media:read'] });
    const expected = { userId: viewer.userId, sessionId: apiKey!.id, scopes: ['admin:audit', 'media:read'] };
    expect(await verify(key!)).toEqual({
      viewer: expected,
      expiresAt: null,
      checkedAt: new Date(stage.clock.ms),
    });
    await prisma().user.update({ where: { id: viewer.userId }, data: { roles: [] } });
    expect(await verify(key!)).toMatchObject({ viewer: { ...expected, scopes: ['media:read'] } });
  });

  test('until it expires, to the millisecond', async () => {
    const { viewer } = await stage.aPerson();
    const expiresAt = new Date(stage.clock.ms + 5_000);
    const { key } = await create(viewer, { expiresAt: expiresAt.toISOString() });
    stage.clock.ms += 4_999;
    expect(await verify(key!)).toMatchObject({ expiresAt });
    stage.clock.ms += 1;
    expect(await verify(key!)).toBeNull();
    expect(await keysOf(viewer)).toEqual([]);
  });

  test('until it is revoked, which gateways and devices hear of', async () => {
    const { viewer, email } = await stage.aPerson();
    const { key, apiKey } = await create(viewer);
    const [access, own] = await heads(viewer);
    expect(await revoke(viewer, apiKey!.id)).toEqual({ user: { id: viewer.userId }, errors: [] });
    expect(await verify(key!)).toBeNull();
    expect(await keysOf(viewer)).toEqual([]);
    expect(await newsAfter(accessTopic, access!)).toEqual([{ kind: 'ended', sessionId: apiKey!.id }]);
    expect(await newsAfter(viewerTopic(viewer.userId), own!)).toEqual([{ reason: 'SECURITY' }]);
    expect(await stage.auditOf(apiKey!.id)).toEqual(['apiKey.created', 'apiKey.revoked']);
    expect(await stage.mailsTo(email)).toEqual(
      expect.arrayContaining(['An API key was made', 'An API key was revoked']),
    );
  });

  test.each(['SUSPENDED', 'PENDING_DELETION'] as const)('not while the account is %s', async (status) => {
    const { viewer } = await stage.aPerson();
    const { key } = await create(viewer);
    await prisma().user.update({ where: { id: viewer.userId }, data: { status } });
    expect(await verify(key!)).toBeNull();
  });
});

test('a foreign, a revoked, an unknown key and what is none cannot be revoked, and are answered alike', async () => {
  const [owner, other] = [(await stage.aPerson()).viewer, (await stage.aPerson()).viewer];
  const { key, apiKey } = await create(owner);
  const revoked = (await create(other)).apiKey!.id;
  await revoke(other, revoked);
  const ids = [apiKey!.id, revoked, newId('key'), 'key_\u0000', other.sessionId];
  const answers = await Promise.all(ids.map((id) => revoke(other, id)));
  expect(answers[0]!.errors).toMatchObject([{ code: 'NOT_FOUND', path: ['input', 'id'] }]);
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(await verify(key!)).not.toBeNull();
});

test('the last use is known to within a minute, and only uses that count are noted', async () => {
  const { viewer } = await stage.aPerson();
  const { key } = await create(viewer);
  const lastUse = async () => (await keysOf(viewer))[0]!.lastUsedAt;
  const start = stage.clock.ms;
  expect(await lastUse()).toBeNull();
  for (const afterMs of [0, 30_000, 60_000]) {
    stage.clock.ms = start + afterMs;
    await verify(key!);
    expect(await lastUse()).toBe(new Date(start).toISOString());
  }
  stage.clock.ms = start + 60_001;
  await verify(key!);
  expect(await lastUse()).toBe(new Date(start + 60_001).toISOString());
});

test('others do not see the keys of an account', async () => {
  const [owner, other] = [(await stage.aPerson()).viewer, (await stage.aPerson()).viewer];
  await create(owner);
  const query = `query ($id: ID!) {
    result: _entities(representations: [{ __typename: "User", id: $id }]) { ... on User { apiKeys { id } } }
  }`;
  expect(await stage.result(query, { id: owner.userId }, other)).toEqual([null]);
});

const heads = (viewer: Viewer): Promise<number[]> => {
  const { events } = stage.opened.platform;
  return Promise.all([events.head(accessTopic), events.head(viewerTopic(viewer.userId))]);
};
async function newsAfter(topic: { name: string }, after: number): Promise<unknown[]> {
  const rows = await prisma().$queryRaw<{ payload: unknown }[]>`
    select payload from platform.event where topic = ${topic.name} and seq > ${after} order by seq`;
  return rows.map(({ payload }) => payload);
}
