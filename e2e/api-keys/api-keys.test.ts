import { aRawSocket } from '../../gateway/testing/socket-client';
import { newApiKey } from '../../platform/identity/api-key';
import { USER_SCOPES } from '../../platform/identity/scopes';
import type { Viewer } from '../../platform/identity/viewer';
import { waitFor } from '../../platform/testing/wait';
import { openUsersStage, type UsersStage } from '../../subgraphs/users/testing';
import { aGatewayOver, MODES, type Mode } from './gateways';
import { scopedMutations } from './scoped-mutations';

const CREATE = `mutation ($input: CreateApiKeyInput!) {
  result: createApiKey(input: $input) { key apiKey { id } errors { code } }
}`;
const WHO = '{ viewer { id } }';
const FOLLOW = 'subscription { viewerChanged { ... on ViewerChange { userId reason } } }';

interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: unknown; extensions: { code: string } }[];
}

let stage: UsersStage;
let gateway: { url: string } & AsyncDisposable;
/** Declares a stage and a gateway over it for the tests of a block. */
function onStage(mode: Mode): void {
  beforeAll(async () => {
    stage = await openUsersStage();
    gateway = await aGatewayOver(stage, mode);
    const { key } = await aKey();
    const isLetIn = async (): Promise<boolean> => (await ask({ 'x-api-key': key })).status === 200;
    await waitFor('the gateway to know whose tokens are void', isLetIn);
  });
  afterAll(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await stage?.[Symbol.asyncDispose]();
  });
}

async function aKey(
  scopes: readonly string[] = ['account:read'],
): Promise<{ key: string; id: string; viewer: Viewer }> {
  const { viewer } = await stage.aPerson();
  const { key, apiKey } = await stage.result<{ key: string; apiKey: { id: string } }>(
    CREATE,
    { input: { name: 'CI', scopes } },
    viewer,
  );
  return { key, id: apiKey.id, viewer };
}
const revoke = (viewer: Viewer, id: string) =>
  stage.result('mutation ($id: ID!) { result: revokeApiKey(input: { id: $id }) { errors { code } } }', { id }, viewer);

async function ask(headers: Record<string, string>, query = WHO, variables: object = {}, uploads: string[] = []) {
  const operations = JSON.stringify({ query, variables });
  const response = await fetch(gateway.url, {
    method: 'POST',
    headers: {
      'apollo-require-preflight': 'true',
      ...headers,
      ...(uploads[0] ? {} : { 'content-type': 'application/json' }),
    },
    body: uploads[0] ? withFile(operations, uploads) : operations,
  });
  return { status: response.status, body: (await response.json()) as Answer };
}

function withFile(operations: string, uploads: string[]): FormData {
  const form = new FormData();
  form.set('operations', operations);
  form.set('map', JSON.stringify({ 0: uploads }));
  form.set('0', new Blob(['x']), 'x.txt');
  return form;
}

describe.each(MODES)('a gateway with its users subgraph %s', (mode) => {
  onStage(mode);

  test('takes a key in either header, and refuses two that differ', async () => {
    const { key, viewer } = await aKey();
    const itself = { status: 200, body: { data: { viewer: { id: viewer.userId } } } };
    expect(await ask({ authorization: `Bearer ${key}` })).toEqual(itself);
    expect(await ask({ 'x-api-key': key })).toEqual(itself);
    expect(await ask({ 'x-api-key': key, authorization: `Bearer ${key}` })).toEqual(itself);
    expect((await ask({ 'x-api-key': key, authorization: `Bearer ${newApiKey().key}` })).status).toBe(400);
  });

  test('refuses a key that does not work with 401, whatever it lacks', async () => {
    const { key, id, viewer } = await aKey();
    await revoke(viewer, id);
    const refused = await Promise.all(
      [key, newApiKey().key, `${key}0`, 'sauti_x'].map((text) => ask({ authorization: `Bearer ${text}` })),
    );
    expect(refused.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(new Set(refused.map(({ body }) => body.errors![0]!.message)).size).toBe(1);
  });

  test('refuses a key in the URL, also beside one in a header', async () => {
    const { key } = await aKey();
    const query = encodeURIComponent(WHO);
    for (const search of [`api_key=${key}`, `x=${key}`, `X-Api-Key=${key}`, 'apiKey=x']) {
      const url = `${gateway.url}?query=${query}&${search}`;
      const headers = { 'content-type': 'application/json', 'apollo-require-preflight': 'true', 'x-api-key': key };
      expect((await fetch(url, { headers })).status).toBe(400);
    }
  });

  test('ends a revoked key at once, with the socket that is open on it, and no other', async () => {
    const [doomed, other] = [await aKey(), await aKey()];
    const sockets = await Promise.all(
      [doomed, other].map(({ key }) =>
        aRawSocket(gateway.url.replace('http', 'ws'), { init: { authorization: `Bearer ${key}` } }),
      ),
    );
    for (const socket of sockets) {
      socket.send({ id: '1', type: 'subscribe', payload: { query: FOLLOW } });
      await socket.receive('next', '1');
    }
    expect((await ask({ 'x-api-key': doomed.key })).status).toBe(200);
    await revoke(doomed.viewer, doomed.id);
    expect(await sockets[0]!.closed).toEqual({ code: 4403, reason: 'Session ended' });
    // Its answer was kept a moment ago.
    expect((await ask({ 'x-api-key': doomed.key })).status).toBe(401);
    expect((await ask({ 'x-api-key': other.key })).status).toBe(200);
    expect(sockets[1]!.socket.readyState).toBe(sockets[1]!.socket.OPEN);
    sockets[1]!.socket.close();
  });

  test('lets a key do with an account what its scopes say, and not what needs a person', async () => {
    const { key, viewer } = await aKey(['account:read', 'account:write']);
    const rename = 'mutation { updateProfile(input: { firstName: "Amina" }) { user { id } errors { code } } }';
    expect((await ask({ 'x-api-key': key }, rename)).body.data).toEqual({
      updateProfile: { user: { id: viewer.userId }, errors: [] },
    });
    const { body } = await ask(
      { 'x-api-key': key },
      'mutation { revokeApiKey(input: { id: "key_1" }) { errors { code } } }',
    );
    expect(body.errors!.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
  });
});

describe('a key without the scope that a mutation asks for', () => {
  onStage('in process');
  const keys = new Map<string, string>();
  beforeAll(async () => {
    for (const scope of USER_SCOPES) if (scope !== 'account:security') keys.set(scope, (await aKey([scope])).key);
  });

  test.each(scopedMutations())('%s: is refused before any subgraph is asked', async (name, needed, ...operation) => {
    const lacking = [...keys].filter(([scope]) => !needed.some((all) => all.every((one) => one === scope)));
    expect(lacking.length).toBeGreaterThan(4);
    for (const [, key] of lacking) {
      const { body } = await ask({ 'x-api-key': key }, ...operation);
      // The other subgraphs are nowhere: had one been asked, the code would be another.
      expect(body.errors!.map(({ extensions, path }) => [extensions.code, path])).toEqual([['FORBIDDEN', [name]]]);
    }
  });
});
