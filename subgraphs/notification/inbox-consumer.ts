import { newId } from '../../platform/ids';
import { finishedJobsTopic } from '../../platform/jobs/job';
import type { Platform } from '../../platform/platform';
import { inboxTopic } from './events';
import { newsOf } from './job-news';
import { NotificationRecords, NOTIFICATION_MODELS } from './records';

/**
 * Writes a notification for every job that ends, until the signal aborts; resolves then. Each end is told exactly once,
 * however often this is restarted and in how many processes it runs.
 */
export async function runInboxConsumer(
  platform: Pick<Platform, 'database' | 'events'>,
  signal: AbortSignal,
): Promise<void> {
  const records = new NotificationRecords(platform.database.slice(NOTIFICATION_MODELS));
  await platform.events.consume({
    consumer: 'notification.inbox',
    topic: finishedJobsTopic,
    signal,
    handle: async (tx, { payload: job }) => {
      const news = newsOf(job);
      if (!news) return;
      const id = newId('ntf');
      const { ownerId, subjectId, jobId } = job;
      const isNew = await records.insertOnce(tx, { id, ownerId, subjectId, jobId, ...news });
      if (isNew) await platform.events.append(tx, inboxTopic(ownerId), { notificationId: id });
    },
  });
}
