import { askApiKey } from '../../../gateway/viewer/ask-api-key';
import { hashOfApiKey } from '../../../platform/identity/api-key';
import { deriveCallKey, signCallIdentity } from '../../../platform/identity/call-identity';
import { silentLogger } from '../../../platform/logger';
import { serveSubgraph } from '../../../platform/subgraph/serve';
import { JWKS_PATH } from '../subgraph';
import { openUsersStage, type UsersStage } from '../testing';
import { VERIFY_API_KEY_PATH } from './verify-route';

let stage: UsersStage;
let server: { port: number } & AsyncDisposable;
let callKey: Buffer;
let keyHash: string;
let id: string;
let userId: string;
beforeAll(async () => {
  stage = await openUsersStage();
  callKey = deriveCallKey(stage.opened.platform.secret, 'users');
  server = await serveSubgraph({ subgraph: stage.users, callKey, host: '127.0.0.1', port: 0, logger: silentLogger });
  const { viewer } = await stage.aPerson();
  const { key, apiKey } = await stage.result<{ key: string; apiKey: { id: string } }>(
    `mutation { result: createApiKey(
      input: { name: "CI", scopes: ["media:read"], expiresAt: "2100-01-01T00:00:00Z" }) { key apiKey { id } } }`,
    {},
    viewer,
  );
  [keyHash, id, userId] = [hashOfApiKey(key), apiKey.id, viewer.userId];
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

const url = (path: string): string => `http://127.0.0.1:${server.port}${path}`;
const sign = (body: string, key = callKey): string =>
  signCallIdentity(key, 'users', { viewer: null, requestId: 'r' }, body);
async function post(body: string, token: string | null = sign(body)): Promise<{ status: number; body: unknown }> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url(VERIFY_API_KEY_PATH), { method: 'POST', headers, body });
  return { status: response.status, body: await response.json() };
}

test('a gateway in another process learns who a key stands for, by its hash', async () => {
  const stranger = deriveCallKey('another secret', 'users');
  const ask = (key: Buffer) =>
    askApiKey({ jwksUrl: url(JWKS_PATH), signCall: (_subgraph, _identity, body) => sign(body, key) });
  expect(await ask(callKey)(keyHash)).toEqual({
    viewer: { userId, sessionId: id, scopes: ['media:read'] },
    expiresAt: new Date('2100-01-01T00:00:00Z'),
    checkedAt: new Date(stage.clock.ms),
  });
  expect(await ask(callKey)(hashOfApiKey('another'))).toBeNull();
  await expect(ask(stranger)(keyHash)).rejects.toThrow('401');
});

test('answers nobody but the gateway, and each signature is good for one body', async () => {
  const body = JSON.stringify({ keyHash });
  expect(await post(body, null)).toEqual({ status: 401, body: {} });
  expect((await post(body, sign('{}'))).status).toBe(401);
  expect((await post(body, sign(body, deriveCallKey('another secret', 'users')))).status).toBe(401);
  expect((await fetch(url(VERIFY_API_KEY_PATH))).status).toBe(404);
});

test.each([
  ['what is no JSON', '{'],
  ['null', 'null'],
  ['no hash', '{}'],
  ['a hash that is none', '{"keyHash":"x"}'],
  ['an operator in place of a hash', '{"keyHash":{"not":null}}'],
  ['a list of hashes', `{"keyHash":["${'0'.repeat(64)}"]}`],
  ['a body without end', JSON.stringify({ keyHash: '0'.repeat(2_000) })],
])('refuses %s', async (_what, body) => {
  expect(await post(body)).toEqual({ status: 400, body: {} });
});
