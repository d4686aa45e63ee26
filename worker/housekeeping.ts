import { IDEMPOTENCY_MS } from '../platform/idempotency';
import { removeOldMails } from '../platform/mail/old-mails';
import type { Platform } from '../platform/platform';
import { removeOldArchives, restartDeletions } from '../subgraphs/users/privacy/tidy-accounts';
import { removeOldAttempts } from '../subgraphs/users/accounts/old-attempts';
import { removeOldSessions } from '../subgraphs/users/sessions/old-sessions';

const OFTEN_MS = 10 * 60_000;
const DAY_MS = 24 * 3_600_000;
/** Bytes without a row are only removed when no upload can still be writing them. */
const ORPHAN_AGE_MS = DAY_MS;

/**
 * Removes what nobody can need any more, now and then again: every ten minutes old events, idempotency keys, mails,
 * attempts and archives of accounts, once a day what takes a look at everything: bytes whose row was never written, and
 * old sessions. Deletions of accounts that were given up are started again. Returns how to stop it.
 */
export function startHousekeeping(platform: Platform, eventRetentionDays: number): () => void {
  const repeat = (everyMs: number, tidy: () => Promise<Record<string, number>>): NodeJS.Timeout => {
    const run = async (): Promise<void> => {
      try {
        const removed = await tidy();
        if (Object.values(removed).some((count) => count > 0))
          platform.logger.info(removed, 'housekeeping removed old data');
      } catch (error) {
        platform.logger.warn({ error }, 'housekeeping failed; it will run again');
      }
    };
    void run();
    return setInterval(() => void run(), everyMs);
  };
  const timers = [
    repeat(OFTEN_MS, async () => ({
      events: await platform.events.prune(eventRetentionDays * DAY_MS),
      idempotencyKeys: await removeIdempotencyKeys(platform),
      mails: await removeOldMails(platform.database),
      ...(await removeOldAttempts(platform)),
    })),
    repeat(DAY_MS, async () => ({ orphans: await platform.objects.sweep(ORPHAN_AGE_MS) })),
    repeat(DAY_MS, () => removeOldSessions(platform)),
    repeat(OFTEN_MS, () => removeOldArchives(platform)),
    repeat(DAY_MS, () => restartDeletions(platform)),
  ];
  return () => timers.forEach(clearInterval);
}

async function removeIdempotencyKeys({ database }: Platform): Promise<number> {
  const expired = new Date(Date.now() - IDEMPOTENCY_MS);
  const { count } = await database.prisma.idempotencyKey.deleteMany({ where: { createdAt: { lt: expired } } });
  return count;
}
