import { SautiClient } from '../../client/client';
import { ReadViewerDocument, SignUpDocument } from '../../client/operations.generated';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { waitFor } from '../../platform/testing/wait';
import { announceAccess } from '../../subgraphs/users/events';
import { startDeployment, type Deployment } from './deployment';
import { Device } from './device';

let opened: TestPlatform;
let system: Deployment;
let people = 0;
beforeAll(async () => {
  opened = await openTestPlatform({ poolSize: 20 });
  system = await startDeployment(opened.platform);
}, 120_000);
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await opened[Symbol.asyncDispose]();
}, 60_000);

const aDevice = (url: string): Promise<Device> => Device.signUp(url, `device-${++people}@sauti.example`);

/** Every refresh token of the session was used so long ago that no race explains another use. */
async function afterTheGrace({ sessionId }: Device): Promise<void> {
  await opened.platform.database.prisma.$executeRaw`
    update users.refresh_token set used_at = used_at - interval '1 minute' where session_id = ${sessionId}`;
}

async function rightsChanged(userId: string): Promise<void> {
  const { database, events } = opened.platform;
  const at = new Date();
  await database.prisma.$transaction(async (tx) => {
    await tx.user.update({ where: { id: userId }, data: { roles: ['ADMIN'] } });
    await announceAccess(tx, events, [{ kind: 'changed', userId, at: at.toISOString() }]);
  });
}

describe.each(['in process', 'apart'] as const)('through a gateway to which users is %s', (mode) => {
  const other = mode === 'apart' ? 'in process' : 'apart';
  const url = (): string => system.gateways[mode];

  test.each([0, 1, 2, 3, 4])(
    'reuse of ancestor number %i ends the family: HTTP, sockets and event streams of every gateway, and its refresh',
    async (ancestor) => {
      const device = await aDevice(url());
      const ancestors: string[] = [];
      for (let count = 0; count < 6; count++) {
        ancestors.push(device.refreshToken);
        expect(await device.refresh()).toBeNull();
        await afterTheGrace(device);
      }
      const elsewhere = device.at(system.gateways[other]);
      const bystander = await aDevice(url());
      const [socket, events, far, theirs] = await Promise.all([
        device.openSocket(),
        device.openEvents(),
        elsewhere.openSocket(),
        bystander.openSocket(),
      ]);
      expect([await device.status(), await elsewhere.status()]).toEqual([200, 200]);

      expect(await elsewhere.refresh(ancestors[ancestor])).toBe('TOKEN_REUSED');
      expect((await socket.closed).code).toBe(4403);
      expect((await far.closed).code).toBe(4403);
      await events.ended;
      // Whatever ends connections refuses the token as well, from the same moment on.
      expect([await device.status(), await elsewhere.status()]).toEqual([401, 401]);
      expect(await device.refresh()).toBe('TOKEN_EXPIRED');
      expect(await elsewhere.refresh()).toBe('TOKEN_EXPIRED');
      expect([await bystander.status(), theirs.socket.readyState]).toEqual([200, theirs.socket.OPEN]);
      theirs.socket.close();
    },
    60_000,
  );

  test('a sign-out is heard of by the other gateway, too, and concerns no other session', async () => {
    const [device, bystander] = [await aDevice(url()), await aDevice(url())];
    const far = await device.at(system.gateways[other]).openSocket();
    await device.signOut();
    expect(await far.closed).toEqual({ code: 4403, reason: 'Session ended' });
    await waitFor('the refusal', async () => (await device.status()) === 401);
    expect(await bystander.status()).toBe(200);
  });

  test('rights that change void the tokens issued before; a renewed one works', async () => {
    const device = await aDevice(url());
    const socket = await device.openSocket();
    await rightsChanged(device.userId);
    expect(await socket.closed).toEqual({ code: 4403, reason: 'Access changed' });
    expect(await device.status()).toBe(401);
    expect(await device.refresh()).toBeNull();
    expect(await device.status()).toBe(200);
    (await device.openSocket()).socket.close();
  });

  test('a suspension ends the connections at both gateways, and no token lets in again', async () => {
    const [admin, device] = [await aDevice(url()), await aDevice(url())];
    await rightsChanged(admin.userId);
    await waitFor('the news', async () => (await admin.status()) === 401);
    await admin.refresh();
    const elsewhere = device.at(system.gateways[other]);
    const [near, far] = [await device.openSocket(), await elsewhere.openSocket()];
    await admin.suspend(device.userId);
    expect([(await near.closed).code, (await far.closed).code]).toEqual([4403, 4403]);
    expect([await device.status(), await elsewhere.status()]).toEqual([401, 401]);
    expect([await device.refresh(), await elsewhere.refresh()]).toEqual(['TOKEN_EXPIRED', 'TOKEN_EXPIRED']);
    expect(await admin.status()).toBe(200);
  });

  test('a client renews its tokens by itself when they are void, and repeats what was refused', async () => {
    await using client = new SautiClient(url());
    const input = { email: `client-${++people}@sauti.example`, password: 'correct horse battery', displayName: 'A' };
    const { signUp } = await client.request(SignUpDocument, { input });
    client.useTokens(signUp.tokens!);
    await rightsChanged(signUp.viewer!.id);
    const headers = { authorization: `Bearer ${signUp.tokens!.accessToken}`, 'apollo-require-preflight': 'true' };
    await waitFor('the news', async () => (await fetch(`${url()}?query={__typename}`, { headers })).status === 401);
    expect((await client.request(ReadViewerDocument, {})).viewer?.id).toBe(signUp.viewer!.id);
  });
});

test('while users is away its gateway goes on with what it knows, and hears on return what it missed', async () => {
  const before = await aDevice(system.gateways.apart);
  const device = await aDevice(system.gateways.apart);
  const socket = await device.openSocket();
  const near = before.at(system.gateways['in process']);
  await near.signOut();
  await waitFor('the first sign-out', async () => (await before.status()) === 401);

  await system.stopUsers();
  // Signed out at the other gateway: this one cannot know.
  await device.at(system.gateways['in process']).signOut();
  expect(await before.status()).toBe(401);
  expect(socket.socket.readyState).toBe(socket.socket.OPEN);
  await system.startUsers();
  expect(await socket.closed).toEqual({ code: 4403, reason: 'Session ended' });
  expect([await device.status(), await before.status()]).toEqual([401, 401]);
}, 60_000);
