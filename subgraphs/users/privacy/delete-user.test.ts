import { newId } from '../../../platform/ids';
import { openTestPlatform } from '../../../platform/testing/platform';
import { USERS_MODELS } from '../records';
import { anAccount } from '../testing-accounts';
import { deleteUser } from './delete-user';

test('of a stolen session nothing stays that tells where it was used', async () => {
  await using opened = await openTestPlatform();
  const { database } = opened.platform;
  const [amina, brian] = [await anAccount(opened.platform), await anAccount(opened.platform)];
  for (const { user, viewer } of [amina, brian]) {
    const event = { id: newId('aud'), action: 'session.tokenReused', actorId: null, subjectId: viewer.sessionId };
    await database.prisma.auditEvent.create({
      data: { ...event, ipAddress: '192.0.2.7', metadata: { userId: user.id, position: 1 } },
    });
  }
  await database.slice(USERS_MODELS).transaction((tx) => deleteUser(tx, amina.user, newId('job')));
  const seen = async ({ viewer }: typeof amina) =>
    database.prisma.auditEvent.findMany({ where: { subjectId: viewer.sessionId } });
  expect(await seen(amina)).toMatchObject([{ action: 'session.tokenReused', ipAddress: null, metadata: {} }]);
  expect(await seen(brian)).toMatchObject([{ ipAddress: '192.0.2.7', metadata: { userId: brian.user.id } }]);
});
