import { request } from 'node:http';
import { deriveCallKey, signCallIdentity } from '../../../platform/identity/call-identity';
import { silentLogger } from '../../../platform/logger';
import { serveSubgraph } from '../../../platform/subgraph/serve';
import { openTestPlatform } from '../../../platform/testing/platform';
import { TestAccounts } from './testing';

const EVIL_NAME = '<img src=x onerror=alert(1)> {{7*7}} ${process.env} & "you" https://thief.example';
let app: TestAccounts;
let people = 0;

beforeAll(async () => {
  app = await TestAccounts.open({}, await openTestPlatform({ publicUrl: () => 'https://sauti.example/' }));
});
afterAll(() => app[Symbol.asyncDispose]());

const anEmail = (): string => `person-${++people}@mwanga.example`;

test('links begin with the configured address and keep the token behind the #', async () => {
  const email = anEmail();
  await app.signUp(email);
  await app.call('requestPasswordReset', { email });
  const links = (await app.mailsTo(email)).map(({ text }) => /https?:\S+/.exec(text)![0]);
  expect(links).toEqual([
    expect.stringMatching(/^https:\/\/sauti\.example\/verify-email#token=[\w-]{43}$/),
    expect.stringMatching(/^https:\/\/sauti\.example\/reset-password#token=[\w-]{43}$/),
  ]);
});

test('an app of its own is where links lead when the operator names it', async () => {
  const other = await TestAccounts.open({ appUrl: 'https://app.example/account' }, app.test);
  const email = anEmail();
  await other.signUp(email);
  expect((await other.mailsTo(email))[0]!.text).toContain('https://app.example/account/verify-email#token=');
});

test('no header of a request changes where links lead', async () => {
  const key = deriveCallKey(app.test.platform.secret, 'users');
  const server = await serveSubgraph({
    subgraph: app.users,
    callKey: key,
    host: '127.0.0.1',
    port: 0,
    logger: silentLogger,
  });
  const email = anEmail();
  await app.signUp(email);
  const body = JSON.stringify({
    query: 'mutation ($input: EmailInput!) { requestPasswordReset(input: $input) { ok } }',
    variables: { input: { email } },
  });
  const status = await post(server.port, body, {
    authorization: `Bearer ${signCallIdentity(key, 'users', { viewer: null, requestId: 'test' }, body)}`,
    host: 'thief.example',
    'x-forwarded-host': 'thief.example',
    'x-forwarded-proto': 'http',
    forwarded: 'host=thief.example',
    origin: 'https://thief.example',
    referer: 'https://thief.example/',
  });
  await server[Symbol.asyncDispose]();
  expect(status).toBe(200);
  const { text, html } = (await app.mailsTo(email)).at(-1)!;
  expect(text).toContain('https://sauti.example/reset-password#token=');
  expect(text + html).not.toContain('thief');
});

test('a mail to an address that nobody has proven says nothing that its sender wrote', async () => {
  const email = anEmail();
  await app.signUp(email, { displayName: EVIL_NAME });
  await app.call('requestPasswordReset', { email });
  const mails = await app.mailsTo(email);
  expect(mails).toHaveLength(2);
  expect(JSON.stringify(mails)).not.toMatch(/thief|onerror/);
});

test('names are escaped in HTML, left as they are in text, and nothing in them is a template', async () => {
  const email = anEmail();
  await app.signUp(email, { displayName: EVIL_NAME });
  await app.call('verifyEmail', { token: await app.tokenTo(email, 'email.verification') });
  await app.call('requestPasswordReset', { email });
  const { text, html, subject } = (await app.mailsTo(email)).at(-1)!;
  expect(text).toContain(`Hello ${EVIL_NAME},`);
  expect(html).not.toMatch(/<img|49/);
  expect(html).toContain('&#60;img src=x onerror=alert(1)&#62; {{7*7}} ${process.env} &#38; &#34;you&#34;');
  expect(subject).toBe('Set a new password');
});

function post(port: number, body: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path: '/graphql', method: 'POST', agent: false };
    const call = request({ ...options, headers: { 'content-type': 'application/json', ...headers } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode!));
    });
    call.on('error', reject).end(body);
  });
}
