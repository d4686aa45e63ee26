import { IDEMPOTENCY_MS } from '../platform/idempotency';
import type { Platform } from '../platform/platform';

const EVERY_MS = 10 * 60_000;
/** Bytes without a row are only removed when no upload can still be writing them. */
const ORPHAN_AGE_MS = 24 * 3_600_000;

/** Removes what nobody can need any more: old events, idempotency keys, bytes whose row was never written. Returns how to stop it. */
export function startHousekeeping(platform: Platform, eventRetentionDays: number): () => void {
  const run = async (): Promise<void> => {
    try {
      const events = await platform.events.prune(eventRetentionDays * 24 * 3_600_000);
      const orphans = await platform.objects.sweep(ORPHAN_AGE_MS);
      const expired = new Date(Date.now() - IDEMPOTENCY_MS);
      const keys = await platform.database.prisma.idempotencyKey.deleteMany({ where: { createdAt: { lt: expired } } });
      if (events + orphans + keys.count > 0)
        platform.logger.info({ events, orphans, idempotencyKeys: keys.count }, 'housekeeping removed old data');
    } catch (error) {
      platform.logger.warn({ error }, 'housekeeping failed; it will run again');
    }
  };
  const timer = setInterval(() => void run(), EVERY_MS);
  void run();
  return () => clearInterval(timer);
}
