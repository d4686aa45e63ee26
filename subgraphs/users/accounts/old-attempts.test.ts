import { openTestPlatform } from '../../../platform/testing/platform';
import { createMailSeal, queueMail } from '../../../platform/mail/mail';
import { removeOldMails } from '../../../platform/mail/old-mails';
import { removeOldAttempts } from './old-attempts';

const DAY_MS = 86_400_000;
const before = (days: number): Date => new Date(Date.now() - days * DAY_MS);

test('housekeeping removes attempts, tokens and mails that nobody needs, and what mails said', async () => {
  await using opened = await openTestPlatform();
  const { platform } = opened;
  const { prisma } = platform.database;
  await prisma.attemptCount.createMany({
    data: [
      { key: 'over', count: 1, expiresAt: before(1) },
      { key: 'open', count: 1, expiresAt: before(-1) },
    ],
  });
  await prisma.oneTimeToken.createMany({
    data: [
      { tokenHash: 'old', kind: 'RESET_PASSWORD', expiresAt: before(8) },
      { tokenHash: 'new', kind: 'RESET_PASSWORD', expiresAt: before(6) },
    ],
  });
  for (const subject of ['of last week', 'of the day before yesterday', 'waiting'])
    await prisma.$transaction((tx) =>
      queueMail(tx, createMailSeal(platform.secret), { to: 'a@b.example', kind: 'test', subject, text: 'text' }),
    );
  const outbox = { state: 'OUTBOX' as const };
  await prisma.mail.updateMany({ where: { subject: 'of last week' }, data: { ...outbox, finishedAt: before(8) } });
  await prisma.mail.updateMany({
    where: { subject: 'of the day before yesterday' },
    data: { ...outbox, finishedAt: before(2) },
  });

  expect(await removeOldAttempts(platform)).toEqual({ attempts: 1, tokens: 1 });
  expect(await removeOldMails(platform.database)).toBe(1);
  expect(await prisma.attemptCount.findMany()).toMatchObject([{ key: 'open' }]);
  expect(await prisma.oneTimeToken.findMany()).toMatchObject([{ tokenHash: 'new' }]);
  const left = await prisma.mail.findMany({ orderBy: { id: 'asc' } });
  expect(left.map(({ subject, body }) => [subject, body === null])).toEqual([
    ['of the day before yesterday', true],
    ['waiting', false],
  ]);
});
