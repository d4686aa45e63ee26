import { requestRetry } from '../../../platform/jobs/job-commands';
import type { Platform } from '../../../platform/platform';
import { USERS_MODELS } from '../records';
import { PrivacyRecords } from './privacy-records';

/** How long an archive of an account can be downloaded. */
export const ARCHIVE_KEPT_MS = 7 * 24 * 3_600_000;
const BATCH = 100;

/** Removes archives of accounts seven days after they were packed; answers how many. */
export async function removeOldArchives(
  { database, objects }: Pick<Platform, 'database' | 'objects'>,
  now = new Date(),
): Promise<{ archives: number }> {
  const records = new PrivacyRecords(database.slice(USERS_MODELS));
  for (let archives = 0; ;) {
    const ids = await records.archivesPackedBefore(new Date(now.getTime() - ARCHIVE_KEPT_MS), BATCH);
    if (ids.length === 0) return { archives };
    archives += await objects.remove(ids);
  }
}

/**
 * Starts deletions again that were given up, e.g. because a disk was away for hours: nobody is signed in who could. Answers
 * how many.
 */
export async function restartDeletions({
  database,
  events,
}: Pick<Platform, 'database' | 'events'>): Promise<{ deletionsRestarted: number }> {
  const records = new PrivacyRecords(database.slice(USERS_MODELS));
  const stuck = await records.stuckDeletions();
  for (const own of stuck) await records.transaction((tx) => requestRetry(tx, events, own));
  return { deletionsRestarted: stuck.length };
}
