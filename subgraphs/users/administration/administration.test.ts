import type { Viewer } from '../../../platform/identity/viewer';
import { newId } from '../../../platform/ids';
import { ask, askFor, aViewer } from '../../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';
import { anAccount, type Account } from '../testing-accounts';

const USERS = `query ($first: Int, $after: String, $filter: UserFilter) {
  users(first: $first, after: $after, filter: $filter) { nodes { id } totalCount pageInfo { hasNextPage endCursor } }
}`;
const USER = `query ($id: ID!) { user(id: $id) {
  id email emailVerified roles status suspension { reason } lastSignInAt deletesAt profile { displayName } } }`;
const ENTITY = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on User { id email roles } } }`;

let test_: TestPlatform;
let users: UsersSubgraph;
let admin: Account;
let amina: Account;
let clockMs = Date.now();

beforeAll(async () => {
  test_ = await openTestPlatform();
  users = createUsersSubgraph(test_.platform, () => new Date(clockMs));
  admin = await anAccount(test_.platform, { roles: ['ADMIN'], displayName: 'Ada' });
  amina = await anAccount(test_.platform, { displayName: 'Amina 100%' });
});
beforeEach(() => {
  clockMs = Date.now();
});
afterAll(() => test_[Symbol.asyncDispose]());

interface Page {
  nodes: { id: string }[];
  totalCount: number;
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}
const list = async (filter: object = {}, page: object = {}, viewer: Viewer = admin.viewer): Promise<Page> =>
  (await askFor<{ users: Page }>(users, viewer, USERS, { filter, ...page })).users;
const codeOf = async (viewer: Viewer | null, query: string, variables: Record<string, unknown> = {}) =>
  (await ask(users, viewer, query, variables)).errors?.[0]?.extensions?.['code'];

test('lists all accounts for an administrator, newest first, in pages that join up', async () => {
  const first = await list({}, { first: 1 });
  expect(first).toMatchObject({ nodes: [{ id: amina.user.id }], totalCount: 2, pageInfo: { hasNextPage: true } });
  const second = await list({}, { first: 1, after: first.pageInfo.endCursor });
  expect(second).toMatchObject({ nodes: [{ id: admin.user.id }], pageInfo: { hasNextPage: false } });
});

test.each([
  ['part of an address in any case', () => amina.user.email.toUpperCase().slice(0, 12), 1],
  ['a percent sign, which is no wildcard', () => '100%', 1],
  ['a wildcard that nothing contains', () => 'A%a', 0],
  ['an underscore, which is no wildcard', () => 'Am_na', 0],
  ['a backslash', () => '\\', 0],
  ['what only others contain', () => 'Zanzibar', 0],
])('finds by %s', async (_what, search, count) => {
  expect((await list({ search: search() })).totalCount).toBe(count);
});

test('finds by role and status, where a suspension that is over counts as none', async () => {
  const endsAt = new Date(clockMs + 60_000);
  const suspended = { status: 'SUSPENDED' as const, suspensionReason: 'Spam' };
  const { user } = await anAccount(test_.platform, { ...suspended, suspensionEndsAt: endsAt });
  expect((await list({ role: 'ADMIN' })).nodes).toEqual([{ id: admin.user.id }]);
  expect((await list({ role: 'USER' })).totalCount).toBe(3);
  expect((await list({ status: 'SUSPENDED' })).nodes).toEqual([{ id: user.id }]);
  expect((await list({ status: 'ACTIVE' })).totalCount).toBe(2);
  clockMs = endsAt.getTime();
  expect((await list({ status: 'SUSPENDED' })).nodes).toEqual([]);
  expect((await list({ status: 'ACTIVE' })).totalCount).toBe(3);
  await test_.platform.database.prisma.user.delete({ where: { id: user.id } });
});

test.each(['', 'a'.repeat(101), 'a\0b'])('the search %j is BAD_USER_INPUT', async (search) => {
  expect(await codeOf(admin.viewer, USERS, { filter: { search } })).toBe('BAD_USER_INPUT');
});

test('nobody else lists accounts: FORBIDDEN, or UNAUTHENTICATED for an anonymous caller', async () => {
  expect(await codeOf(amina.viewer, USERS)).toBe('FORBIDDEN');
  expect(await codeOf(null, USERS)).toBe('UNAUTHENTICATED');
});

test('an account is shown to itself and to administrators, to anybody else like one that there is not', async () => {
  const read = (viewer: Viewer | null, id: string) => askFor(users, viewer, USER, { id });
  const shown = { email: amina.user.email, emailVerified: false, roles: ['USER'], status: 'ACTIVE', suspension: null };
  for (const viewer of [amina.viewer, admin.viewer])
    expect(await read(viewer, amina.user.id)).toMatchObject({ user: { id: amina.user.id, ...shown } });
  const stranger = aViewer();
  for (const id of [amina.user.id, newId('usr'), 'x']) expect(await read(stranger, id)).toEqual({ user: null });
  for (const id of [amina.user.id, newId('usr')])
    expect(await ask(users, null, USER, { id })).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
  expect(await read(amina.viewer, admin.user.id)).toEqual({ user: null });
});

test('as an entity an account is shown to nobody but itself and administrators', async () => {
  const read = (viewer: Viewer | null) =>
    askFor(users, viewer, ENTITY, { of: [{ __typename: 'User', id: amina.user.id }] });
  const entity = { id: amina.user.id, email: amina.user.email, roles: ['USER'] };
  for (const viewer of [amina.viewer, admin.viewer]) expect(await read(viewer)).toEqual({ _entities: [entity] });
  for (const viewer of [aViewer(), null]) expect(await read(viewer)).toEqual({ _entities: [null] });
});
