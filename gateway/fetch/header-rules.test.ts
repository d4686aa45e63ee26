import http from 'node:http';
import { always, aRawSubgraph } from '../testing/raw-subgraph';
import { withAccounts } from '../testing/gateways';
import { headerRuleFaults } from './header-rules';

const NOBODY = { data: { me: null } };

/** Sends a query with exactly these headers, in this case and order. */
async function postRaw(url: string, headers: readonly [string, string][]): Promise<void> {
  const body = JSON.stringify({ query: '{ me { name } }' });
  await new Promise<void>((resolve, reject) => {
    const raw = [['content-type', 'application/json'], ['Host', 'gateway.example'], ...headers].flat();
    const request = http.request(url, { method: 'POST', headers: raw });
    request.once('error', reject);
    request.once('response', (response) => response.resume().once('end', resolve));
    request.end(body);
  });
}

const HOSTILE: [string, string][] = [
  ['X-User-Id', 'root'],
  ['x-user-id', 'admin'],
  ['x_tenant', 'underscore'],
  ['X-Forwarded-For', '10.0.0.1'],
  ['Forwarded', 'for=10.0.0.1'],
  ['Apollo-Federation-Include-Trace', 'ftv1'],
  ['Cookie', 'session=1'],
  ['X-Request-Id', 'mine'],
  ['TE', 'trailers'],
  ['Authorization', 'Bearer mine'],
];

test('a subgraph gets what the gateway writes, and nothing of the client', async () => {
  await using raw = await aRawSubgraph(always(NOBODY));
  await using gateway = await withAccounts(raw.url);
  await postRaw(gateway.url, [...HOSTILE, ['X-Tenant', 'a']]);
  expect(Object.keys(raw.requests[0]!.headers).sort()).toEqual([
    'accept',
    'connection',
    'content-length',
    'content-type',
    'host',
    'x-request-id',
  ]);
  expect(raw.requests[0]!.headers['x-request-id']).not.toBe('mine');
  expect(raw.requests[0]!.headers.host).not.toBe('gateway.example');
});

test('named headers are handed on whatever their case; repeated ones are one list', async () => {
  await using raw = await aRawSubgraph(always(NOBODY));
  await using gateway = await withAccounts(raw.url, {
    remoteSubgraph: () => ({
      settings: { headers: { forward: ['x-tenant', 'cookie', 'x-missing'], set: { 'x-gateway': 'sauti' } } },
    }),
  });
  await postRaw(gateway.url, [...HOSTILE, ['X-TENANT', 'a'], ['x-Tenant', 'b']]);
  const { headers } = raw.requests[0]!;
  expect(headers).toMatchObject({ 'x-tenant': 'a, b', cookie: 'session=1', 'x-gateway': 'sauti' });
  for (const name of ['x-user-id', 'x_tenant', 'x-missing', 'authorization', 'x-forwarded-for'])
    expect(headers).not.toHaveProperty(name);
});

test('what a rule may not name is told', () => {
  const forward = ['Host', 'host', 'content-length', 'te', 'x-forwarded-for', 'apollo-federation-include-trace'];
  expect(headerRuleFaults({ forward, set: {} })).toEqual([
    'headers.forward: "Host" is no header name in lower case',
    ...forward.slice(1).map((name) => `headers.forward: "${name}" is never forwarded`),
  ]);
  expect(
    headerRuleFaults({ forward: ['a', 'a'], set: { a: '1', 'x-request-id': '2', 'x y': '3', b: '1\r\nc: 2' } }),
  ).toEqual([
    'headers.forward: "a" is named twice',
    'headers.set: "a" is forwarded, too; choose one',
    'headers.set: "x-request-id" belongs to the gateway',
    'headers.set: "x y" is no header name in lower case',
    'headers.set: the value of "b" cannot be sent in a header',
  ]);
});

test.each([
  ['forwarded', { forward: ['authorization'], set: {} }],
  ['set', { forward: [], set: { authorization: 'Bearer x' } }],
])('where calls are signed, another authorization cannot be %s', async (_, headers) => {
  await expect(
    withAccounts('http://127.0.0.1:1', { signCall: () => 'signed', remoteSubgraph: () => ({ settings: { headers } }) }),
  ).rejects.toThrow(/"accounts".*"authorization" carries the signature/);
});

test('a URL with credentials is refused, with the way to send them', async () => {
  await expect(withAccounts('http://me:secret@127.0.0.1:1')).rejects.toThrow(/headers\.set/);
});
