import { ask, askFor } from '../../../platform/testing/calls';
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

test.each<[scopes: string[], isShown: boolean]>([
  [['media:read'], false],
  [['account:write', 'media:read'], false],
  [['account:read'], true],
])('a key with the scopes %p sees address and roles of its account: %p', async (scopes, isShown) => {
  const { user } = await anAccount(opened.platform);
  const key = { userId: user.id, sessionId: 'key_00000000000000000000000000', scopes };
  expect(await askFor(users, key, '{ viewer { id email emailVerified roles } }')).toEqual({
    viewer: isShown
      ? { id: user.id, email: user.email, emailVerified: false, roles: ['USER'] }
      : { id: user.id, email: null, emailVerified: null, roles: null },
  });
});

describe('the account in the answer to its sign-in', () => {
  const signIn = async (fields: string, viewer: Parameters<typeof ask>[1] = null) => {
    const { user } = await anAccount(opened.platform);
    const query = `mutation ($input: SignInInput!) { signIn(input: $input) { viewer { ${fields} } } }`;
    return { user, ...(await ask(users, viewer, query, { input: { email: user.email, password: PASSWORD } })) };
  };

  test('shows address and roles', async () => {
    const { user, data } = await signIn('email emailVerified roles');
    expect(data).toEqual({ signIn: { viewer: { email: user.email, emailVerified: false, roles: ['USER'] } } });
  });

  test('does not show what needs a scope before the new token is used', async () => {
    const { data, errors } = await signIn('hasPassword lastSignInAt profile { firstName }');
    expect(data).toEqual({
      signIn: { viewer: { hasPassword: null, lastSignInAt: null, profile: { firstName: null } } },
    });
    expect(errors!.map(({ extensions }) => extensions?.['code'])).toEqual(Array(3).fill('UNAUTHENTICATED'));
  });

  test('shows no more to whoever is signed in to another account', async () => {
    const { viewer } = await anAccount(opened.platform);
    const { data, errors } = await signIn('hasPassword lastSignInAt profile { firstName }', viewer);
    expect(data).toEqual({
      signIn: { viewer: { hasPassword: null, lastSignInAt: null, profile: { firstName: null } } },
    });
    expect(errors).toBeUndefined();
  });
});
