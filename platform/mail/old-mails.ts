import type { Database } from '../database/database';

/** How long it can be looked up whether a mail was sent. */
const KEPT_DAYS = 7;
/** How long the development outbox shows what a mail said. */
const OUTBOX_DAYS = 1;

/** Removes mails that are done, a week later, and what those in the outbox said, a day later. Answers how many. */
export async function removeOldMails({ prisma }: Database): Promise<number> {
  await prisma.$executeRaw`
    update platform.mail set body = null
     where state = 'OUTBOX' and body is not null and finished_at < now() - make_interval(days => ${OUTBOX_DAYS})`;
  return prisma.$executeRaw`delete from platform.mail where finished_at < now() - make_interval(days => ${KEPT_DAYS})`;
}
