import { buildSchema } from 'graphql';
import { newId } from '../../platform/ids';
import { ADMIN_SCOPES } from '../../platform/identity/scopes';
import type { Viewer } from '../../platform/identity/viewer';
import { readRepositoryFile } from '../../platform/root';
import { ask } from '../../platform/testing/calls';
import { failingDatabase, type FailingDatabase } from '../../platform/testing/failing-database';
import { openTestPlatform } from '../../platform/testing/platform';
import { changedTables, tableState } from '../../platform/testing/table-state';
import { DEFAULT_ACCOUNT_SETTINGS } from './accounts/account-settings';
import { PASSWORD, TestAccounts } from './accounts/testing';
import { REDIRECT_URI, start } from './oauth/testing/calls';
import { aStrangeProvider, CLIENT, type StrangeProvider } from './oauth/testing/strange-provider';
import { createUsersSubgraph, type UsersSubgraph } from './subgraph';
import { codeOfApp } from './testing';

/** Counts of attempts stand for themselves: they are kept when what was attempted failed. */
const ATTEMPTS = ['users.attempt_count'];
/** A row for each topic that ever had an event; the events are in a table of their own. */
const TOPICS = ['platform.event_topic'];
/** A code of a provider works once there: its state is used up before the provider is asked. */
const USED_UP: Readonly<Record<string, object>> = { completeOAuth: { 'users.one_time_token': 0 } };
const NEW_PASSWORD = 'eleven brown herons';

let database: FailingDatabase;
let app: TestAccounts;
let provider: StrangeProvider;
/** The same as `app`, with an identity provider. */
let users: UsersSubgraph;
beforeAll(async () => {
  const opened = await openTestPlatform();
  database = failingDatabase(opened.platform.database);
  const platform = { ...opened.platform, database };
  app = await TestAccounts.open({}, { ...opened, platform });
  provider = await aStrangeProvider();
  users = createUsersSubgraph(platform, () => new Date(), {
    accounts: { ...DEFAULT_ACCOUNT_SETTINGS, steadyMs: 0, passwordCost: 4 },
    oauth: {
      providers: [{ id: 'sample', name: 'Sample', issuer: provider.issuer, ...CLIENT }],
      redirectUris: [REDIRECT_URI],
    },
  });
  // Makes the first signing key.
  await aPerson();
});
afterAll(async () => {
  await provider[Symbol.asyncDispose]();
  await app[Symbol.asyncDispose]();
});

interface Person {
  email: string;
  viewer: Viewer;
  refreshToken: string;
}
let people = 0;
const anEmail = (): string => `person-${++people}@mwanga.example`;
async function aPerson(): Promise<Person> {
  const email = anEmail();
  const answer = await app.signUp(email);
  return { email, viewer: await app.viewerOf(answer), refreshToken: answer.tokens!.refreshToken };
}
async function anAdministrator(): Promise<Viewer> {
  const { viewer } = await aPerson();
  await database.prisma.user.update({ where: { id: viewer.userId }, data: { roles: ['ADMIN'] } });
  return { ...viewer, scopes: [...viewer.scopes, ...ADMIN_SCOPES] };
}

/** What a mutation is given, and by whom: ready to be called, any number of times until it has been done. */
interface Call {
  input?: object;
  viewer?: Viewer;
}
const MUTATIONS: Record<string, () => Promise<Call>> = {
  signUp: async () => ({ input: { email: anEmail(), password: PASSWORD, displayName: 'Amina' } }),
  signIn: async () => ({ input: { email: (await aPerson()).email, password: PASSWORD } }),
  verifyMfa: async () => {
    const { email, nextCode } = await aPersonWithApp();
    const { mfa } = await app.signIn(email);
    return { input: { token: mfa!.token, code: nextCode, trustDevice: true } };
  },
  startOAuth: async () => ({ input: { provider: 'sample', redirectUri: REDIRECT_URI } }),
  completeOAuth: async () => {
    const { authorizationUrl, state } = await start(users);
    const nonce = new URL(authorizationUrl).searchParams.get('nonce');
    const email = anEmail();
    provider.behave({ claims: { nonce, sub: email, email, email_verified: true } });
    return { input: { state, code: 'code' } };
  },
  refreshSession: async () => ({ input: { refreshToken: (await aPerson()).refreshToken } }),
  reauthenticate: async () => ({ input: { password: PASSWORD }, viewer: (await aPerson()).viewer }),
  endSessions: async () => {
    const { email, viewer } = await aPerson();
    await app.signIn(email);
    return { input: { allOthers: true }, viewer };
  },
  sendEmailVerification: async () => ({ viewer: (await aPerson()).viewer }),
  verifyEmail: async () => {
    const { email, viewer } = await aPerson();
    await app.call('sendEmailVerification', {}, { viewer });
    return { input: { token: await app.tokenTo(email, 'email.verification') } };
  },
  requestPasswordReset: async () => ({ input: { email: (await aPerson()).email } }),
  resetPassword: async () => {
    const { email } = await aPerson();
    await app.call('requestPasswordReset', { email });
    return { input: { token: await app.tokenTo(email, 'password.reset'), newPassword: NEW_PASSWORD } };
  },
  changePassword: async () => {
    const { email, viewer } = await aPerson();
    await app.signIn(email);
    return { input: { currentPassword: PASSWORD, newPassword: NEW_PASSWORD }, viewer };
  },
  changeEmail: async () => ({ input: { email: anEmail() }, viewer: (await aPerson()).viewer }),
  enrollTotp: async () => ({ input: { name: 'Phone' }, viewer: (await aPerson()).viewer }),
  confirmTotp: async () => {
    const { viewer } = await aPerson();
    const { factorId, code } = await enrolled(viewer);
    return { input: { factorId, code }, viewer };
  },
  removeMfaFactor: async () => {
    const { viewer, factorId: id } = await aPersonWithApp();
    return { input: { id }, viewer };
  },
  forgetTrustedDevices: async () => {
    const { viewer } = await aPerson();
    const device = { tokenHash: newId('ses'), userId: viewer.userId, expiresAt: new Date(Date.now() + 3_600_000) };
    await database.prisma.trustedDevice.create({ data: device });
    return { viewer };
  },
  unlinkIdentity: async () => {
    const { viewer } = await aPerson();
    const id = newId('idn');
    const identity = { id, userId: viewer.userId, provider: 'sample', subject: id };
    await database.prisma.identity.create({ data: identity });
    return { input: { id }, viewer };
  },
  createApiKey: async () => ({ input: { name: 'Robot', scopes: ['media:read'] }, viewer: (await aPerson()).viewer }),
  revokeApiKey: async () => {
    const { viewer } = await aPerson();
    const id = newId('key');
    const key = { id, userId: viewer.userId, name: 'Robot', prefix: 'sauti_x', keyHash: id, scopes: ['media:read'] };
    await database.prisma.apiKey.create({ data: key });
    return { input: { id }, viewer };
  },
  updateProfile: async () => ({ input: { displayName: 'Neema', locale: 'sw' }, viewer: (await aPerson()).viewer }),
  updatePreferences: async () => ({ input: { patch: { theme: 'dark' } }, viewer: (await aPerson()).viewer }),
  exportAccount: async () => ({ input: { idempotencyKey: newId('ses') }, viewer: (await aPerson()).viewer }),
  deleteAccount: async () => ({
    input: { password: PASSWORD, idempotencyKey: newId('ses') },
    viewer: (await aPerson()).viewer,
  }),
  grantCredits: async () => {
    const { userId } = (await aPerson()).viewer;
    return {
      input: { userId, credits: 5, note: 'Thank you', idempotencyKey: newId('ses') },
      viewer: await anAdministrator(),
    };
  },
  updateUserAccess: async () => {
    const { userId } = (await aPerson()).viewer;
    return { input: { userId, status: 'SUSPENDED', reason: 'Spam' }, viewer: await anAdministrator() };
  },
};

async function enrolled(viewer: Viewer) {
  const query = 'mutation { enrollTotp(input: { name: "Phone" }) { factorId secret } }';
  const { data } = await ask(users, viewer, query);
  const { factorId, secret } = data!['enrollTotp'] as { factorId: string; secret: string };
  return { factorId, code: codeOfApp(secret, Date.now()), secret };
}

async function aPersonWithApp() {
  const person = await aPerson();
  const { secret, ...input } = await enrolled(person.viewer);
  expect(await called('confirmTotp', { input, viewer: person.viewer })).toEqual([]);
  return { ...person, factorId: input.factorId, nextCode: codeOfApp(secret, Date.now(), 1) };
}

const FIELDS = buildSchemaFields();
function buildSchemaFields() {
  const sdl = readRepositoryFile('subgraphs/users/schema.graphql').replace(/^extend schema[\s\S]*?\n\n/, '');
  const directives = `directive @key(fields: String!, resolvable: Boolean) on OBJECT
    directive @shareable on OBJECT | FIELD_DEFINITION
    directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION`;
  return buildSchema(`${directives}\n${sdl}`).getMutationType()!.getFields();
}

/** Calls a mutation; the codes of what it complains of. */
async function called(mutation: string, { input, viewer }: Call): Promise<unknown[]> {
  const type = FIELDS[mutation]!.args[0]?.type;
  const query = type
    ? `mutation ($input: ${String(type)}) { result: ${mutation}(input: $input) { errors { code } } }`
    : `mutation { result: ${mutation} { errors { code } } }`;
  const { data, errors } = await ask(users, viewer ?? null, query, input ? { input } : {});
  if (errors) return errors.map(({ extensions }) => extensions?.['code']);
  return (data!['result'] as { errors: { code: string }[] }).errors.map(({ code }) => code);
}

const state = () => tableState(database, [...ATTEMPTS, ...TOPICS]);

test('every mutation is here', () => {
  expect(Object.keys(MUTATIONS).sort()).toEqual(Object.keys(FIELDS).sort());
});

test.each(Object.entries(MUTATIONS))('%s is done whole or not at all, whichever query fails', async (name, given) => {
  let call = await given();
  let before = await state();
  expect(await called(name, call)).toEqual([]);
  const whole = changedTables(before, await state());
  expect(whole).not.toEqual({});

  call = await given();
  before = await state();
  for (let query = 1; ; query++) {
    database.failAt(query);
    const problems = await called(name, call);
    const hasFailed = database.heal();
    const change = changedTables(before, await state());
    if (!hasFailed) {
      // All before it have left nothing: it works as if they had not been.
      expect({ query, problems, change }).toEqual({ query, problems: [], change: whole });
      expect(query).toBeGreaterThan(2);
      break;
    }
    await database.prisma.attemptCount.deleteMany();
    if (Object.keys(change).length === 0) {
      expect({ query, problems }).not.toEqual({ query, problems: [] });
      continue;
    }
    // Either all of it is there, or the one thing that is used up whatever comes of it.
    const used = USED_UP[name];
    if (!used || Object.keys(change).length !== 1) expect({ query, change }).toEqual({ query, change: whole });
    else expect({ query, change, problems }).toEqual({ query, change: used, problems: [expect.any(String)] });
    call = await given();
    before = await state();
  }
});
