import type { Viewer } from '../../../platform/identity/viewer';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';
import { anAccount, PASSWORD } from '../testing-accounts';

let opened: TestPlatform;
let users: UsersSubgraph;
beforeAll(async () => {
  opened = await openTestPlatform();
  users = createUsersSubgraph(opened.platform);
});
afterAll(() => opened[Symbol.asyncDispose]());

/** What the gateway hears of the session when a client in cookie mode calls the mutation. */
async function changeOf(viewer: Viewer, name: string, input: object): Promise<unknown> {
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input`;
  const client = { ipAddress: null, userAgent: null, cookies: { refreshToken: null, deviceToken: null } };
  const { data, errors, extensions } = await users.execute(
    { query: `mutation ($input: ${type}!) { ${name}(input: $input) { errors { code } } }`, variables: { input } },
    { identity: { viewer, requestId: 'r', client }, signal: new AbortController().signal },
  );
  expect([data?.[name], errors]).toEqual([{ errors: [] }, undefined]);
  return extensions?.['session'];
}

test.each<[what: string, mutation: string, input: object]>([
  ['signing out', 'endSessions', {}],
  ['asking for the deletion of the account', 'deleteAccount', { password: PASSWORD }],
])('%s ends the cookies', async (_what, mutation, input) => {
  const { viewer } = await anAccount(opened.platform);
  expect(await changeOf(viewer, mutation, input)).toBe('ended');
});

test('an administrator who suspends another account keeps the cookies, and loses them with the own one', async () => {
  const [admin, amina] = [await anAccount(opened.platform, { roles: ['ADMIN'] }), await anAccount(opened.platform)];
  await anAccount(opened.platform, { roles: ['ADMIN'] }); // somebody has to be left
  const suspend = ({ user }: typeof amina) =>
    changeOf(admin.viewer, 'updateUserAccess', { userId: user.id, status: 'SUSPENDED', reason: 'Because' });
  expect(await suspend(amina)).toBeUndefined();
  expect(await suspend(admin)).toBe('ended');
});

test('ending the other sessions leaves the cookies as they are', async () => {
  const { viewer } = await anAccount(opened.platform);
  expect(await changeOf(viewer, 'endSessions', { allOthers: true })).toBeUndefined();
});
