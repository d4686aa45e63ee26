import { newId } from '../../platform/ids';
import { ADMIN_SCOPES } from '../../platform/identity/scopes';
import type { Viewer } from '../../platform/identity/viewer';
import { ask } from '../../platform/testing/calls';
import { PASSWORD, TestAccounts } from './accounts/testing';

const LENGTH = 50 * 1_024;
/** Any expression that goes back over its text costs thousands of times as much at this length. */
const MAX_RATIO = 8;

let app: TestAccounts;
let viewer: Viewer;
beforeAll(async () => {
  app = await TestAccounts.open();
  const signedIn = await app.viewerOf(await app.signUp('amina@mwanga.example'));
  viewer = { ...signedIn, scopes: [...signedIn.scopes, ...ADMIN_SCOPES] };
});
afterAll(() => app[Symbol.asyncDispose]());

const ACCOUNT = { email: 'neema@mwanga.example', password: PASSWORD, displayName: 'Neema' };
const FACTOR = { factorId: newId('mfa') };
/** Each text that something is asked of, and the input around it. */
const TEXTS: [mutation: string, type: string, field: string, others?: object][] = [
  ['signUp', 'SignUpInput', 'email', ACCOUNT],
  ['signUp', 'SignUpInput', 'displayName', ACCOUNT],
  ['signUp', 'SignUpInput', 'locale', ACCOUNT],
  ['signUp', 'SignUpInput', 'timeZone', ACCOUNT],
  ['signUp', 'SignUpInput', 'deviceName', ACCOUNT],
  ['signUp', 'SignUpInput', 'password', ACCOUNT],
  ['signIn', 'SignInInput', 'email', { password: 'x' }],
  ['signIn', 'SignInInput', 'deviceToken', { email: 'nobody', password: 'x' }],
  ['verifyMfa', 'VerifyMfaInput', 'token', { code: '123456' }],
  ['verifyMfa', 'VerifyMfaInput', 'code', { token: 'x' }],
  ['reauthenticate', 'ReauthenticateInput', 'code'],
  ['confirmTotp', 'ConfirmTotpInput', 'code', FACTOR],
  ['confirmTotp', 'ConfirmTotpInput', 'factorId', { code: '123456' }],
  ['enrollTotp', 'EnrollTotpInput', 'name'],
  ['refreshSession', 'RefreshSessionInput', 'refreshToken'],
  ['verifyEmail', 'TokenInput', 'token'],
  ['resetPassword', 'ResetPasswordInput', 'token', { newPassword: 'eleven brown herons' }],
  ['requestPasswordReset', 'EmailInput', 'email'],
  ['changeEmail', 'EmailInput', 'email'],
  ['startOAuth', 'StartOAuthInput', 'redirectUri', { provider: 'sample' }],
  ['startOAuth', 'StartOAuthInput', 'provider', { redirectUri: 'https://sauti.example' }],
  ['completeOAuth', 'CompleteOAuthInput', 'state', { code: 'x' }],
  ['completeOAuth', 'CompleteOAuthInput', 'code', { state: 'x' }],
  ['createApiKey', 'CreateApiKeyInput', 'name', { scopes: ['media:read'] }],
  ['revokeApiKey', 'IdInput', 'id'],
  ['updateProfile', 'UpdateProfileInput', 'displayName'],
  ['updateProfile', 'UpdateProfileInput', 'firstName'],
  ['updateProfile', 'UpdateProfileInput', 'birthDate'],
  ['updateProfile', 'UpdateProfileInput', 'locale'],
  ['updateProfile', 'UpdateProfileInput', 'timeZone'],
  ['updateProfile', 'UpdateProfileInput', 'avatarFileId'],
];

const filled = (start: string, part: string, end = ''): string =>
  start + part.repeat(Math.ceil((LENGTH - start.length - end.length) / part.length)) + end;
const HARMLESS = filled('', 'a');
/** What expressions that go back over their text are slow with. */
const HOSTILE = [
  filled('a@', 'a.', '@'),
  filled('', 'a@'),
  filled('a', ' ', 'a'),
  filled('\n', '\t ', '\0'),
  filled('', '1', 'x'),
  filled('', '1 ', 'x'),
  filled('en', '-a', '!'),
  filled('en-x', '-aaaaaaaa', '-'),
  filled('A', '/A', '!'),
  filled('2000', '-01', '!'),
  filled('http://', 'a:', '@'),
  filled('https://a', '/../.', '?'),
  filled('usr_', '0', '!'),
  filled('', '%_\\'),
  filled('e', '\u0301', 'x'),
];

/** CPU time of calling everything with a text, in microseconds. */
async function cost(text: string): Promise<number> {
  const before = process.cpuUsage();
  for (const [mutation, type, field, others] of TEXTS) {
    const query = `mutation ($input: ${type}!) { result: ${mutation}(input: $input) { errors { code } } }`;
    await ask(app.users, viewer, query, { input: { ...others, [field]: text } });
  }
  const search = 'query ($text: String) { users(filter: { search: $text }) { nodes { id } } }';
  await ask(app.users, viewer, search, { text });
  await app.test.platform.database.prisma.attemptCount.deleteMany();
  const { user } = process.cpuUsage(before);
  return user;
}

test('texts of 50 KB cost what they are long, whatever is in them', async () => {
  await cost(HARMLESS);
  const harmless = (await cost(HARMLESS)) + (await cost(HARMLESS)) + (await cost(HARMLESS));
  const slow: [text: string, ratio: number][] = [];
  for (const text of HOSTILE) {
    const ratio = (await cost(text)) / (harmless / 3);
    if (ratio > MAX_RATIO) slow.push([text.slice(0, 12), ratio]);
  }
  expect(slow).toEqual([]);
});
