import { deleteInPieces, inPages, type AccountData } from '../../platform/account-data';
import { removeTopics } from '../../platform/events/remove-topics';
import { finishedJobsTopic, jobsTopic, snapshotOf, type Job } from '../../platform/jobs/job';
import type { Platform } from '../../platform/platform';
import { inboxTopic } from './events';
import { INBOX_CONSUMER } from './inbox-consumer';
import { NotificationRecords, NOTIFICATION_MODELS, type NotificationTransaction } from './records';

const PAGE = 500;

/**
 * What this slice has of an account: its inbox, and its jobs of all kinds. Their rows go first of all that is deleted:
 * whatever is still at work on one of them can write nothing more.
 */
export function createNotificationAccountData({ database }: Pick<Platform, 'database'>): AccountData {
  const records = new NotificationRecords(database.slice(NOTIFICATION_MODELS));
  return {
    subgraph: 'notification',
    async export(ownerId, archive) {
      const notifications = inPages((afterId) => records.notificationsAfter(ownerId, PAGE, afterId));
      const jobs = inPages((afterId) => records.jobsAfter(ownerId, PAGE, afterId));
      return {
        notifications: await archive.lines('notification/notifications.ndjson', notifications),
        jobs: await archive.lines('notification/jobs.ndjson', shownJobs(jobs)),
      };
    },
    async delete({ ownerId, jobId, step }) {
      await deleteInPieces({ step }, async (tx) => ({ jobs: await records.deleteJobs(tx, ownerId, jobId, PAGE) }));
      await step(async (tx) => {
        // No end of a job is told any more while this runs, nor afterwards of those that are gone.
        await records.lockConsumer(tx, INBOX_CONSUMER);
        await records.forgetFinishedJobs(tx, finishedJobsTopic, ownerId);
        await removeTopics(tx, [jobsTopic(ownerId), inboxTopic(ownerId)]);
        return { notifications: await records.deleteNotifications(tx as NotificationTransaction, ownerId) };
      });
    },
  };
}

/** Jobs as their owner sees them. */
async function* shownJobs(jobs: AsyncIterable<Job>): AsyncGenerator<object, void, void> {
  for await (const job of jobs) {
    const { createdAt, startedAt, finishedAt, credits } = job;
    yield { ...snapshotOf(job), credits, createdAt, startedAt, finishedAt };
  }
}
