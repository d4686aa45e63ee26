import { newId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { ask, askFor } from '../../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { viewerTopic } from '../events';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';
import { anAccount } from '../testing/an-account';

const UNLINK = `mutation ($id: ID!) {
  result: unlinkIdentity(input: { id: $id }) { user { identities { id } } errors { code path } } }`;

let test_: TestPlatform;
let users: UsersSubgraph;
beforeAll(async () => {
  test_ = await openTestPlatform();
  // Nobody signs in here: the provider is never asked.
  const sample = { id: 'sample', name: 'Sample', issuer: 'https://sample.example', clientId: 'a', clientSecret: 'b' };
  users = createUsersSubgraph(test_.platform, () => new Date(), { oauth: { providers: [sample], redirectUris: [] } });
});
afterAll(() => test_[Symbol.asyncDispose]());

interface Unlinked {
  user: { identities: { id: string }[] } | null;
  errors: { code: string; path: string[] }[];
}
const unlink = async (viewer: Viewer, id: string): Promise<Unlinked> =>
  (await askFor<{ result: Unlinked }>(users, viewer, UNLINK, { id })).result;
const LAST = { user: null, errors: [{ code: 'INVALID_STATE', path: ['input', 'id'] }] };

async function anIdentity({ userId }: Viewer, provider = 'sample'): Promise<string> {
  const id = newId('idn');
  await test_.platform.database.prisma.identity.create({ data: { id, userId, provider, subject: id } });
  return id;
}

test('takes the link away, and tells the owner and the log', async () => {
  const { user, viewer } = await anAccount(test_.platform);
  const [first, second] = [await anIdentity(viewer), await anIdentity(viewer)];
  expect(await unlink(viewer, first)).toEqual({ user: { identities: [{ id: second }] }, errors: [] });
  const { prisma } = test_.platform.database;
  expect(await prisma.auditEvent.findMany({ where: { actorId: user.id } })).toMatchObject([
    { action: 'identity.unlinked', subjectId: user.id, metadata: { identityId: first, provider: 'sample' } },
  ]);
  expect(await prisma.mail.findMany({ where: { recipient: user.email } })).toMatchObject([
    { kind: 'security.notice', subject: 'An account of Sample was unlinked from your account' },
  ]);
  expect(await test_.platform.events.head(viewerTopic(user.id))).toBe(1);
});

test('with a password the last link can go, without one it stays', async () => {
  const secured = await anAccount(test_.platform);
  expect((await unlink(secured.viewer, await anIdentity(secured.viewer))).user).toEqual({ identities: [] });
  const { viewer } = await anAccount(test_.platform, { passwordHash: null });
  const only = await anIdentity(viewer);
  expect(await unlink(viewer, only)).toEqual(LAST);
  expect(await test_.platform.database.prisma.identity.count({ where: { id: only } })).toBe(1);
});

test('a link to a provider that is not in use any more is no way to sign in', async () => {
  const { viewer } = await anAccount(test_.platform, { passwordHash: null });
  const [usable, left] = [await anIdentity(viewer), await anIdentity(viewer, 'closed-down')];
  expect(await unlink(viewer, usable)).toEqual(LAST);
  expect((await unlink(viewer, left)).errors).toEqual([]);
});

test('of two that are taken away at the same time one stays', async () => {
  for (let round = 0; round < 5; round++) {
    const { viewer } = await anAccount(test_.platform, { passwordHash: null });
    const ids = [await anIdentity(viewer), await anIdentity(viewer)];
    const answers = await Promise.all(ids.map((id) => unlink(viewer, id)));
    expect(answers.filter(({ user }) => user === null)).toEqual([LAST]);
    expect(await test_.platform.database.prisma.identity.count({ where: { userId: viewer.userId } })).toBe(1);
  }
});

test("somebody else's, an unknown and an impossible one are answered alike", async () => {
  const { viewer } = await anAccount(test_.platform);
  const foreign = await anIdentity((await anAccount(test_.platform)).viewer);
  for (const id of [foreign, newId('idn'), newId('usr'), 'idn_\0', ''])
    expect(await unlink(viewer, id)).toEqual({ user: null, errors: [{ code: 'NOT_FOUND', path: ['input', 'id'] }] });
  expect(await test_.platform.database.prisma.identity.count({ where: { id: foreign } })).toBe(1);
});

test('needs somebody who is signed in, with a proof that is not older than an hour', async () => {
  const { viewer } = await anAccount(test_.platform);
  const id = await anIdentity(viewer);
  expect((await ask(users, null, UNLINK, { id })).errors![0]!.extensions!['code']).toBe('UNAUTHENTICATED');
  await test_.platform.database.prisma.session.update({
    where: { id: viewer.sessionId },
    data: { authenticatedAt: new Date(Date.now() - 3_601_000) },
  });
  expect((await unlink(viewer, id)).errors).toMatchObject([{ code: 'REAUTHENTICATION_REQUIRED' }]);
});
