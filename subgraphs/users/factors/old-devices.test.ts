import { newId } from '../../../platform/ids';
import { openUsersStage } from '../testing';
import { removeOldDevices } from './old-devices';

test('devices go when their trust is over, and apps a day after they were begun and not switched on', async () => {
  await using stage = await openUsersStage();
  const { viewer } = await stage.aPerson();
  const { prisma } = stage.opened.platform.database;
  const now = new Date();
  const inMs = (ms: number): Date => new Date(now.getTime() + ms);
  const { userId } = viewer;
  await prisma.trustedDevice.createMany({
    data: [
      { tokenHash: 'over', userId, expiresAt: now },
      { tokenHash: 'good', userId, expiresAt: inMs(1) },
    ],
  });
  const app = { userId, name: 'Phone', secret: 'sealed' };
  const dayAgo = inMs(-24 * 3_600_000 - 1);
  const ids = [newId('mfa'), newId('mfa'), newId('mfa')] as const;
  await prisma.mfaFactor.createMany({
    data: [
      { ...app, id: ids[0], createdAt: dayAgo },
      { ...app, id: ids[1], createdAt: inMs(-1_000) },
      { ...app, id: ids[2], createdAt: dayAgo, confirmedAt: dayAgo },
    ],
  });
  expect(await removeOldDevices(stage.opened.platform, now)).toEqual({ trustedDevices: 1, unconfirmedFactors: 1 });
  expect(await prisma.trustedDevice.findMany({ select: { tokenHash: true } })).toEqual([{ tokenHash: 'good' }]);
  expect(
    (await prisma.mfaFactor.findMany({ select: { id: true }, orderBy: { id: 'asc' } })).map(({ id }) => id),
  ).toEqual([ids[1], ids[2]].sort());
});
