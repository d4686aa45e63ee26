import { WebSocket } from 'ws';
import { memoryCounterStore } from '../gateway/rate-limits/memory-store';
import { createGateway, type Gateway } from '../gateway/server';
import { aRawSocket } from '../gateway/testing/socket-client';
import { createAuthenticator } from '../gateway/viewer/authenticator';
import { silentLogger } from '../platform/logger';
import { readRepositoryFile } from '../platform/root';
import { openTestPlatform, type TestPlatform } from '../platform/testing/platform';
import { createUsersSubgraph } from '../subgraphs/users/subgraph';
import { TokenSession, type Tokens } from './recipes/auth-bearer';
import { BrowserSession } from './recipes/auth-cookies';

const APP = 'https://app.example';
const PASSWORD = 'correct horse battery staple';
const ME = '{ viewer { email } }';

let opened: TestPlatform;
let gateway: Gateway;
let url: string;
let people = 0;

beforeAll(async () => {
  opened = await openTestPlatform();
  const users = createUsersSubgraph(opened.platform);
  gateway = await createGateway({
    supergraphSdl: readRepositoryFile('gateway/supergraph.graphql'),
    subgraphs: new Map([['users', users]]),
    authenticate: createAuthenticator({ jwks: () => users.jwks() }),
    accessChanges: (signal) => users.accessChanges(signal),
    clientFactsFor: ['users'],
    cookieSessions: true,
    corsOrigins: [APP],
    rateLimits: { store: memoryCounterStore(), factor: 10 },
    logger: silentLogger,
    development: false,
  });
  const { address } = await gateway.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${address.port}/graphql`;
});
afterAll(async () => {
  await gateway.stop();
  await opened[Symbol.asyncDispose]();
});

/** What a browser does: it keeps cookies from the page, sends them, and says which page asks. */
class Browser {
  readonly jar = new Map<string, string>();
  readonly answers: string[] = [];

  readonly fetch: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('origin', APP);
    if (this.jar.size > 0) headers.set('cookie', this.cookie);
    const response = await fetch(input, { ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (/Max-Age=0$/.test(line)) this.jar.delete(name!);
      else this.jar.set(name!, value!);
    }
    this.answers.push(await response.clone().text());
    return response;
  };

  get cookie(): string {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}

async function anAccount(): Promise<string> {
  const email = `person-${++people}@sauti.example`;
  const query = 'mutation ($input: SignUpInput!) { signUp(input: $input) { errors { code message } } }';
  const variables = { input: { email, password: PASSWORD, displayName: 'Amina' } };
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  expect(await response.json()).toEqual({ data: { signUp: { errors: [] } } });
  return email;
}

describe('from a browser', () => {
  test('signing in, asking, renewing and signing out, without a token that a script could read', async () => {
    const email = await anAccount();
    const browser = new Browser();
    const session = new BrowserSession(url, browser.fetch);
    await expect(session.signIn(email, 'something else')).rejects.toThrow('wrong');
    expect(await session.signIn(email, PASSWORD)).toBeNull();
    expect(await session.request(ME)).toEqual({ data: { viewer: { email } } });

    const before = browser.jar.get('__Host-sauti-refresh');
    await Promise.all([session.renew(), session.renew()]);
    expect(browser.jar.get('__Host-sauti-refresh')).not.toBe(before);
    expect(await session.request(ME)).toEqual({ data: { viewer: { email } } });

    const secrets = [before!, ...browser.jar.values()];
    await session.signOut();
    expect([...browser.jar.keys()]).toEqual([]);
    for (const secret of secrets) expect(browser.answers.join()).not.toContain(secret);
  });

  test('a page that is loaded again goes on, also when the access cookie is gone or stale', async () => {
    const email = await anAccount();
    const browser = new Browser();
    await new BrowserSession(url, browser.fetch).signIn(email, PASSWORD);
    for (const access of [undefined, 'stale']) {
      browser.jar.delete('__Host-sauti-access');
      if (access) browser.jar.set('__Host-sauti-access', access);
      const loadedAgain = new BrowserSession(url, browser.fetch);
      expect(await loadedAgain.request(ME)).toEqual({ data: { viewer: { email } } });
    }
  });

  test('a session that cannot be renewed takes its cookies away', async () => {
    const email = await anAccount();
    const browser = new Browser();
    const session = new BrowserSession(url, browser.fetch);
    await session.signIn(email, PASSWORD);
    browser.jar.set('__Host-sauti-refresh', 'made-up');
    await expect(session.renew()).rejects.toThrow('Sign in again');
    expect([...browser.jar.keys()]).toEqual([]);
  });

  test('a WebSocket is the user’s by its cookie, and closed when the session ends', async () => {
    const email = await anAccount();
    const browser = new Browser();
    const session = new BrowserSession(url, browser.fetch);
    await session.signIn(email, PASSWORD);
    const headers = { origin: APP, cookie: browser.cookie };
    const raw = await aRawSocket(url.replace('http', 'ws'), { headers, init: undefined });
    raw.send({ id: '1', type: 'subscribe', payload: { query: ME } });
    expect((await raw.receive('next', '1')).payload).toEqual({ data: { viewer: { email } } });
    await session.signOut();
    expect((await raw.closed).code).toBe(4403);
    expect(raw.socket.readyState).toBe(WebSocket.CLOSED);
  });

  test('the list of sessions says what browser it was and from where', async () => {
    const email = await anAccount();
    const browser = new Browser();
    const session = new BrowserSession(url, (input, init) =>
      browser.fetch(input, {
        ...init,
        headers: { ...(init?.headers as object), 'user-agent': 'Firefox\u00a0of Amina' },
      }),
    );
    await session.signIn(email, PASSWORD);
    const [row] = await opened.platform.database.prisma.session.findMany({
      where: { user: { email } },
      orderBy: { id: 'desc' },
    });
    expect(row).toMatchObject({ ipAddress: '127.0.0.1', userAgent: expect.stringContaining('Firefox') });
  });
});

test('from a phone or a server the program keeps the tokens, and renews once for parallel calls', async () => {
  const email = await anAccount();
  let kept: Tokens | null = null;
  const store = { read: async () => kept, write: async (tokens: Tokens | null) => void (kept = tokens) };
  const session = new TokenSession(url, store);
  expect(await session.signIn(email, PASSWORD, 'Test phone')).toBeNull();
  const first = kept as Tokens | null;
  kept = { ...first!, accessToken: 'stale' };
  const answers = await Promise.all([session.request(ME), session.request(ME)]);
  expect(answers).toEqual([{ data: { viewer: { email } } }, { data: { viewer: { email } } }]);
  expect(kept.refreshToken).not.toBe(first!.refreshToken);
});
