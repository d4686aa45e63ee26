import { newId } from '../../platform/ids';
import { FINAL_STATES, finishedJobsTopic } from '../../platform/jobs/job';
import type { Platform } from '../../platform/platform';
import { inboxTopic } from './events';
import { failureNews, readyNews } from './job-news';
import { NotificationRecords, NOTIFICATION_MODELS } from './records';

/** The name its position is kept under. */
export const INBOX_CONSUMER = 'notification.inbox';

/**
 * Writes notifications as jobs end, until the signal aborts; resolves then. A person is told of each failure where it
 * happened, and once of what a chain of jobs has made: when nothing of it is under way any more, however many jobs it had.
 * A job that was retried and fails again, or has made more of the chain, is told again. Each is told exactly once, however often this is restarted and in how many processes it runs.
 */
export async function runInboxConsumer(
  platform: Pick<Platform, 'database' | 'events'>,
  signal: AbortSignal,
): Promise<void> {
  const records = new NotificationRecords(platform.database.slice(NOTIFICATION_MODELS));
  await platform.events.consume({
    consumer: INBOX_CONSUMER,
    topic: finishedJobsTopic,
    signal,
    handle: async (tx, { payload: job }) => {
      const { ownerId, subjectId } = job;
      const chain = await records.chainOf(tx, job.jobId);
      // What a chain has made is told as news of its first job, so that the ends of all others tell nothing new, until
      // there are more results, because a job was retried.
      const results = chain.filter(({ state }) => state === 'SUCCEEDED').length;
      const told = [
        { jobId: job.jobId, occasion: job.attempt, news: failureNews(job) },
        { jobId: chain[0]?.id ?? job.jobId, occasion: results, news: readyNews(chain, FINAL_STATES) },
      ];
      for (const { jobId, occasion, news } of told) {
        if (!news) continue;
        const id = newId('ntf');
        const isNew = await records.insertOnce(tx, { id, ownerId, subjectId, jobId, occasion, ...news });
        if (isNew) await platform.events.append(tx, inboxTopic(ownerId), { notificationId: id });
      }
    },
  });
}
