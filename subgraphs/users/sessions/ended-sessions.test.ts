import { deriveCallKey, signCallIdentity } from '../../../platform/identity/call-identity';
import { newId } from '../../../platform/ids';
import { silentLogger } from '../../../platform/logger';
import { askEndedSessions } from '../../../gateway/viewer/ended-sessions';
import { askFor, aViewer } from '../../../platform/testing/calls';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { serveSubgraph } from '../../../platform/subgraph/serve';
import { ENDED_SESSIONS_PATH } from './ended-sessions';
import { createUsersSubgraph, JWKS_PATH, type UsersSubgraph } from '../subgraph';

let opened: TestPlatform;
let users: UsersSubgraph;
let server: { port: number } & AsyncDisposable;
let callKey: Buffer;
/** What the sessions take for now, moved on by a test. */
let clockMs = Date.now();
let people = 0;

beforeAll(async () => {
  opened = await openTestPlatform();
  users = createUsersSubgraph(opened.platform, () => new Date(clockMs));
  callKey = deriveCallKey(opened.platform.secret, 'users');
  server = await serveSubgraph({ subgraph: users, callKey, host: '127.0.0.1', port: 0, logger: silentLogger });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await opened[Symbol.asyncDispose]();
});

/** The id of a new person and of their session. */
async function signedUp(): Promise<{ userId: string; sessionId: string; scopes: string[] }> {
  const email = `ended-${++people}@sauti.example`;
  const { signUp } = await askFor<{ signUp: { viewer: { id: string }; tokens: { session: { id: string } } } }>(
    users,
    null,
    `mutation { signUp(input: { email: "${email}", password: "correct horse battery", displayName: "Amina" }) {
      viewer { id } tokens { session { id } } } }`,
  );
  return { userId: signUp.viewer.id, sessionId: signUp.tokens.session.id, scopes: [] };
}

const sign = (body: string, key = callKey): string =>
  signCallIdentity(key, 'users', { viewer: null, requestId: 'r' }, body);
const url = (path: string): string => `http://127.0.0.1:${server.port}${path}`;
async function post(body: string, token: string | null = sign(body)): Promise<{ status: number; body: unknown }> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url(ENDED_SESSIONS_PATH), { method: 'POST', headers, body });
  return { status: response.status, body: await response.json() };
}
const naming = (...sessionIds: unknown[]): string => JSON.stringify({ sessionIds });

test('tells of sessions that were signed out, have expired or never were, and not of those that live', async () => {
  const [live, out] = [await signedUp(), await signedUp()];
  await askFor(users, out, 'mutation { endSessions(input: {}) { ended } }');
  const never = newId('ses');
  const ids = [never, live.sessionId, 'ses_\u0000', out.sessionId, aViewer().userId];
  const ended = ids.filter((id) => id !== live.sessionId);
  expect(await users.endedSessions(ids)).toEqual(ended);
  expect(await post(naming(...ids))).toEqual({ status: 200, body: { ended } });

  clockMs += 31 * 24 * 3_600_000;
  expect(await users.endedSessions(ids)).toEqual(ids);
});

test('signing out twice ends the session once, without an error', async () => {
  const viewer = await signedUp();
  const END = 'mutation { endSessions(input: {}) { ended errors { code } } }';
  expect(await askFor(users, viewer, END)).toEqual({ endSessions: { ended: 1, errors: [] } });
  expect(await askFor(users, viewer, END)).toEqual({ endSessions: { ended: 0, errors: [] } });
});

test('answers nobody but the gateway', async () => {
  const body = naming(newId('ses'));
  expect((await post(body, null)).status).toBe(401);
  expect((await post(body, sign(naming()))).status).toBe(401);
  expect((await post(body, sign(body, deriveCallKey('another secret', 'users')))).status).toBe(401);
});

test.each([
  ['what is no JSON', '{'],
  ['no list', '{"sessionIds": "ses_1"}'],
  ['null', 'null'],
  ['a list of something else', naming(1)],
  ['more than 1 000 sessions', naming(...Array.from({ length: 1_001 }, () => newId('ses')))],
  ['a body without end', naming('x'.repeat(100_000))],
])('refuses %s', async (_what, body) => {
  expect((await post(body)).status).toBe(400);
});

test('a gateway in another process asks beside the public keys', async () => {
  const live = await signedUp();
  const ask = askEndedSessions({
    jwksUrl: url(JWKS_PATH),
    signCall: (_subgraph, _identity, body) => sign(body),
  });
  const others = Array.from({ length: 999 }, () => newId('ses'));
  expect(await ask([live.sessionId, ...others])).toEqual(others);
  expect(await ask([])).toEqual([]);
  const stranger = askEndedSessions({
    jwksUrl: url(JWKS_PATH),
    signCall: (_subgraph, _identity, body) => sign(body, deriveCallKey('another secret', 'users')),
  });
  await expect(stranger(others)).rejects.toThrow('401');
});
