import { post, MODES, type Mode } from '../../../gateway/testing/gateways';
import { subscribeTo, type Subscriber } from '../../../gateway/testing/subscriber';
import { createAuthenticator } from '../../../gateway/viewer/authenticator';
import { createGateway, type Gateway } from '../../../gateway/server';
import { deriveCallKey, signCallIdentity } from '../../../platform/identity/call-identity';
import { silentLogger } from '../../../platform/logger';
import { readRepositoryFile } from '../../../platform/root';
import { serveSubgraph } from '../../../platform/subgraph/serve';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { waitFor } from '../../../platform/testing/wait';
import { createUsersSubgraph, type UsersSubgraph } from '../subgraph';

const FOLLOW = `subscription ($after: String) { viewerChanged(after: $after) {
  __typename
  ... on ViewerChange { cursor isSnapshot userId reason viewer { profile { displayName } preferences { version values } } }
  ... on StreamGap { cursor missed }
} }`;
const PREFER = `mutation ($patch: JSON!) {
  updatePreferences(input: { patch: $patch }) { user { preferences { version values } } errors { code path } } }`;

let test_: TestPlatform;
let users: UsersSubgraph;
let server: { port: number } & AsyncDisposable;
let people = 0;
const gateways = new Map<Mode, { gateway: Gateway; url: string; webSocketUrl: string }>();

beforeAll(async () => {
  test_ = await openTestPlatform();
  users = createUsersSubgraph(test_.platform);
  const callKey = deriveCallKey(test_.platform.secret, 'users');
  server = await serveSubgraph({ subgraph: users, callKey, host: '127.0.0.1', port: 0, logger: silentLogger });
  const remote = { url: `http://127.0.0.1:${server.port}/graphql` };
  for (const mode of MODES) {
    const gateway = await createGateway({
      supergraphSdl: readRepositoryFile('gateway/supergraph.graphql'),
      ...(mode === 'in process'
        ? { subgraphs: new Map([['users', users]]) }
        : {
            remoteSubgraph: (name: string) => (name === 'users' ? remote : undefined),
            signCall: (name, identity, body) => signCallIdentity(callKey, name, identity, body),
          }),
      authenticate: createAuthenticator({ jwks: () => users.jwks() }),
      logger: silentLogger,
      development: true,
    });
    const { address } = await gateway.listen(0, '127.0.0.1');
    const url = `http://127.0.0.1:${address.port}/graphql`;
    gateways.set(mode, { gateway, url, webSocketUrl: url.replace('http', 'ws') });
  }
});
afterAll(async () => {
  for (const { gateway } of gateways.values()) await gateway.stop();
  await server[Symbol.asyncDispose]();
  await test_[Symbol.asyncDispose]();
});

/** A new person with a token, at the gateway of that mode. */
async function signedUp(mode: Mode) {
  const at = gateways.get(mode)!;
  const input = { email: `device-${++people}@sauti.example`, password: 'a wide green river', displayName: 'Amina' };
  const SIGN_UP =
    'mutation ($input: SignUpInput!) { signUp(input: $input) { tokens { accessToken } errors { code } } }';
  const { data } = await post(at.url, SIGN_UP, { input });
  const { tokens } = data!['signUp'] as { tokens: { accessToken: string } };
  const authorization = `Bearer ${tokens.accessToken}`;
  return {
    follow: (after?: string): Promise<Subscriber> => subscribeTo(at, FOLLOW, { authorization, variables: { after } }),
    ask: (query: string, variables: object = {}) =>
      post(at.url, query, variables as Record<string, unknown>, { headers: { authorization } }),
  };
}

const eventsOf = ({ frames }: Subscriber) => frames.map(({ data }) => data!['viewerChanged']!);
const rename = (name: string) => `mutation { updateProfile(input: { displayName: "${name}" }) { errors { code } } }`;

describe.each(MODES)('%s', (mode) => {
  test('what one device changes the others see at once, and one that was away sees what it has missed', async () => {
    const { ask, follow } = await signedUp(mode);
    const [phone, laptop] = [await follow(), await follow()];
    for (const device of [phone, laptop]) await device.has(1);
    await ask(rename('Neema'));
    for (const device of [phone, laptop]) {
      await device.has(2);
      expect(eventsOf(device)).toMatchObject([
        { isSnapshot: true, reason: null, viewer: { profile: { displayName: 'Amina' } } },
        { isSnapshot: false, reason: 'PROFILE', viewer: { profile: { displayName: 'Neema' } } },
      ]);
    }
    const { cursor } = eventsOf(phone)[1]!;
    phone.socket.socket.close();
    await ask(PREFER, { patch: { theme: 'dark' } });
    await laptop.has(3);

    const again = await follow(cursor as string);
    await again.has(1);
    await ask(rename('Zuri'));
    await again.has(2);
    expect(eventsOf(again)).toMatchObject([
      { isSnapshot: false, reason: 'PREFERENCES', viewer: { preferences: { version: 1, values: { theme: 'dark' } } } },
      { isSnapshot: false, reason: 'PROFILE', viewer: { profile: { displayName: 'Zuri' } } },
    ]);
    for (const device of [laptop, again]) device.socket.socket.close();
  });

  test('somebody else sees nothing of it', async () => {
    const [amina, baraka] = [await signedUp(mode), await signedUp(mode)];
    const [own, other] = [await amina.follow(), await baraka.follow()];
    for (const device of [own, other]) await device.has(1);
    await amina.ask(rename('Neema'));
    await own.has(2);
    await baraka.ask(PREFER, { patch: { mine: 1 } });
    await other.has(2);
    expect(eventsOf(other).map(({ reason }) => reason)).toEqual([null, 'PREFERENCES']);
    const foreign = await baraka.follow(eventsOf(own)[1]!['cursor'] as string);
    const refusal = await waitFor('the refusal', () => foreign.refusal ?? foreign.frames[0]?.errors);
    expect(refusal).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    for (const device of [own, other, foreign]) device.socket.socket.close();
  });

  test('keys that mean something to JavaScript pass as data, in variables, literals, answers and events', async () => {
    const { ask, follow } = await signedUp(mode);
    const device = await follow();
    await device.has(1);
    const entries = [
      ['__proto__', { polluted: true }],
      ['constructor', { prototype: { polluted: true } }],
      ['toJSON', 'x'],
    ];
    const patch = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as object;
    expect((await ask(PREFER, { patch })).errors).toBeUndefined();
    const LITERAL = `mutation { updatePreferences(input: { patch: { toJSON: "x", __proto__: { polluted: true } } }) {
      user { preferences { values } } errors { code } } }`;
    const { data } = await ask(LITERAL);
    const { user } = data!['updatePreferences'] as { user: { preferences: { values: object } } };
    expect(Object.entries(user.preferences.values).sort()).toEqual(entries);
    await device.has(3);
    const { viewer } = eventsOf(device)[2] as { viewer: { preferences: { values: object } } };
    expect(Object.entries(viewer.preferences.values).sort()).toEqual(entries);
    expect('polluted' in {}).toBe(false);
    device.socket.socket.close();
  });

  test('JSON that is too deep or too long is refused, and the next request is answered', async () => {
    const { ask } = await signedUp(mode);
    const nested = (levels: number): object => (levels === 1 ? {} : { a: nested(levels - 1) });
    const codeFor = async (patch: object) => {
      const { data, errors } = await ask(PREFER, { patch });
      expect(data?.['updatePreferences'] ?? null).toBeNull();
      return errors![0]!.extensions.code;
    };
    for (const patch of [nested(33), nested(1_000), { a: 'x'.repeat(66_000) }])
      expect(await codeFor(patch)).toBe('BAD_USER_INPUT');
    expect(await codeFor({ a: 'x'.repeat(1_000_000) })).toBe('PAYLOAD_TOO_LARGE');
    expect((await ask(PREFER, { patch: nested(32) })).errors).toBeUndefined();
  });

  test('what a client must not set is refused before anything is changed', async () => {
    const { ask } = await signedUp(mode);
    const MASS = 'mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { user { id } } }';
    for (const field of ['roles', 'status', 'email', 'id', 'ownerId', 'credits', 'createdAt']) {
      const { data, errors } = await ask(MASS, { input: { displayName: 'Other', [field]: 'ADMIN' } });
      expect([field, data ?? null, errors![0]!.extensions.code]).toEqual([field, null, 'BAD_USER_INPUT']);
    }
    expect((await ask('{ viewer { profile { displayName } roles } }')).data).toMatchObject({
      viewer: { profile: { displayName: 'Amina' } },
    });
  });
});
