import type { Job } from '../jobs/job';
import type { JobStore } from '../jobs/job-store';
import type { Platform } from '../platform';

/** Starts an attempt as if a dispatcher had handed the job to the queue, and the queue its entry to this worker. */
export async function claim(
  { database }: Pick<Platform, 'database'>,
  store: JobStore,
  jobId: string,
  { attempt = 1, workerId = 'worker', isApart = false } = {},
): Promise<Job | null> {
  await database.prisma.job.updateMany({ where: { id: jobId, state: 'QUEUED' }, data: { handedAt: new Date() } });
  return store.claim({ jobId, attempt, workerId, isApart });
}
