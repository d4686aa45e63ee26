import { newId } from '../../platform/ids';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { waitFor } from '../../platform/testing/wait';
import { UserRecords, USERS_MODELS } from './records';

let test_: TestPlatform;
beforeAll(async () => {
  test_ = await openTestPlatform();
});
afterAll(() => test_[Symbol.asyncDispose]());

test('a refresh token that is used while its session is being ended is seen as ended', async () => {
  const { prisma } = test_.platform.database;
  const records = new UserRecords(test_.platform.database.slice(USERS_MODELS));
  const userId = newId('usr');
  const sessionId = newId('ses');
  await records.transaction(async (tx) => {
    const account = { email: 'a@sauti.example', emailKey: 'a@sauti.example', passwordHash: '' };
    await records.insertUser(tx, { ...account, id: userId, displayName: 'Amina', locale: 'en', timeZone: 'UTC' });
    const expiresAt = new Date(Date.now() + 3_600_000);
    await records.insertSession(tx, {
      id: sessionId,
      userId,
      deviceName: null,
      userAgent: null,
      ipAddress: null,
      assurance: 'PASSWORD',
      createdAt: new Date(),
      lastSeenAt: new Date(),
      authenticatedAt: new Date(),
      expiresAt,
    });
    await records.insertRefreshToken(tx, { tokenHash: 'token', sessionId, position: 0 });
  });

  let using: Promise<Date | null | undefined> | undefined;
  await prisma.$transaction(async (tx) => {
    await tx.session.update({ where: { id: sessionId }, data: { endedAt: new Date() } });
    using = records.transaction(async (other) => {
      const link = await records.lockRefreshToken(other, 'token');
      await records.renewSession(other, sessionId, { lastSeenAt: new Date(), expiresAt: new Date() });
      return link?.session.endedAt;
    });
    await waitFor('the use to wait', async () => {
      const rows = await prisma.$queryRaw<unknown[]>`
        select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      return rows.length > 0;
    });
  });
  expect(await using).toBeInstanceOf(Date);
});
