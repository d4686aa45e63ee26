import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { repositoryRoot } from '../../platform/root';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { startDeployment, type Deployment } from './deployment';
import { Device } from './device';

/** The figure of P14. */
const ROUNDS = 20;
const AT_ONCE = 4;

let opened: TestPlatform;
let system: Deployment;
beforeAll(async () => {
  opened = await openTestPlatform({ poolSize: 20 });
  system = await startDeployment(opened.platform);
}, 120_000);
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await opened[Symbol.asyncDispose]();
}, 60_000);

/** A process that is killed with the answer in its hands; answers how it ended. */
async function killedWhileRefreshing(token: string): Promise<unknown> {
  const { platform, dataDirectory } = opened;
  const options = { databaseUrl: platform.database.url, secret: platform.secret, dataDirectory, token };
  const register = path.join(repositoryRoot(), 'platform/testing/register.cjs');
  const script = path.join(repositoryRoot(), 'e2e/sessions/dying-users.ts');
  const child = spawn(process.execPath, ['-r', register, script, JSON.stringify(options)], {
    cwd: repositoryRoot(),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return signal ?? code;
}

test('whoever loses the answer because its process was killed after the commit is still signed in', async () => {
  const devices = await Promise.all(
    Array.from({ length: ROUNDS }, (_, n) => Device.signUp(system.gateways['in process'], `lost-${n}@sauti.example`)),
  );
  const waiting = [...devices];
  const ends: unknown[] = [];
  const work = async (): Promise<void> => {
    for (let device = waiting.pop(); device; device = waiting.pop())
      ends.push(await killedWhileRefreshing(device.refreshToken));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  expect(ends).toEqual(Array.from({ length: ROUNDS }, () => 'SIGKILL'));

  const { prisma } = opened.platform.database;
  // As if they came back much later.
  await prisma.refreshToken.updateMany({ where: { usedAt: { not: null } }, data: { usedAt: new Date(0) } });
  for (const device of devices) {
    const used = await prisma.refreshToken.count({ where: { sessionId: device.sessionId, usedAt: new Date(0) } });
    expect([used, await device.refresh(), await device.status()]).toEqual([1, null, 200]);
  }
  const links = await prisma.refreshToken.groupBy({ by: ['sessionId'], _count: true });
  expect(links.map(({ _count }) => _count)).toEqual(devices.map(() => 2));
}, 180_000);
