import { newId } from '../../../platform/ids';
import { openTestPlatform, type TestPlatform } from '../../../platform/testing/platform';
import { removeOldSessions } from './old-sessions';

const DAY_MS = 24 * 3_600_000;
const now = new Date('2026-11-20T12:00:00Z');
const daysAgo = (days: number): Date => new Date(now.getTime() - days * DAY_MS);

let test_: TestPlatform;
beforeAll(async () => {
  test_ = await openTestPlatform();
});
afterAll(() => test_[Symbol.asyncDispose]());

test('removes sessions 30 days after their end and refresh tokens a day after their use but the newest two, and nothing else', async () => {
  const { prisma } = test_.platform.database;
  const account = { email: 'a@sauti.example', emailKey: 'a@sauti.example', passwordHash: '' };
  const user = await prisma.user.create({
    data: { ...account, id: newId('usr'), displayName: 'Amina', locale: 'en', timeZone: 'UTC' },
  });
  const aSession = async (deviceName: string, life: { expiresAt: Date; endedAt?: Date }): Promise<void> => {
    const { id } = await prisma.session.create({ data: { id: newId('ses'), userId: user.id, deviceName, ...life } });
    for (const [position, [token, usedAt]] of (
      [
        ['long used', daysAgo(1.02)],
        ['just used', daysAgo(0.99)],
        // Its answer may have been lost: whoever has it has not been heard of since.
        ['newest but one', daysAgo(1.01)],
        ['unused', null],
      ] as const
    ).entries()) {
      const tokenHash = `${deviceName}: ${token}`;
      await prisma.refreshToken.create({ data: { tokenHash, sessionId: id, position, usedAt } });
    }
  };
  await aSession('alive', { expiresAt: daysAgo(-1) });
  await aSession('long expired', { expiresAt: daysAgo(30.01) });
  await aSession('long ended', { expiresAt: daysAgo(-1), endedAt: daysAgo(30.01) });
  await aSession('expired', { expiresAt: daysAgo(29.99) });
  await aSession('ended', { expiresAt: daysAgo(-1), endedAt: daysAgo(29.99) });

  expect(await removeOldSessions(test_.platform, now)).toEqual({ sessions: 2, refreshTokens: 3 });
  const left = await prisma.session.findMany({ orderBy: { id: 'asc' } });
  expect(left.map((session) => session.deviceName)).toEqual(['alive', 'expired', 'ended']);
  const tokens = await prisma.refreshToken.findMany();
  expect(tokens.map((token) => token.tokenHash).sort()).toEqual([
    'alive: just used',
    'alive: newest but one',
    'alive: unused',
    'ended: just used',
    'ended: newest but one',
    'ended: unused',
    'expired: just used',
    'expired: newest but one',
    'expired: unused',
  ]);
  expect(await removeOldSessions(test_.platform, now)).toEqual({ sessions: 0, refreshTokens: 0 });
});

test('removes more than one batch', async () => {
  const { prisma } = test_.platform.database;
  const session = await prisma.session.findFirstOrThrow({ where: { deviceName: 'alive' } });
  await prisma.refreshToken.createMany({
    data: Array.from({ length: 2_001 }, (_, n) => ({
      tokenHash: `many ${n}`,
      sessionId: session.id,
      usedAt: daysAgo(2),
    })),
  });
  expect(await removeOldSessions(test_.platform, now)).toEqual({ sessions: 0, refreshTokens: 2_001 });
});
