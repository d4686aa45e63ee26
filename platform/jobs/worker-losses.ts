import type { PlatformTransaction } from '../database/database';
import type { Job } from './job';

/** A job that has lost this many workers is a suspect; `platform.claim_job` knows the number too. */
const SUSPECT_LOSSES = 2;

/** Whether the job may be what kills its workers. One worker never runs two such jobs side by side. */
export function isSuspect(job: Pick<Job, 'losses'>): boolean {
  return job.losses >= SUSPECT_LOSSES;
}

/**
 * Notes that the job's worker was lost, and answers the row.
 *
 * A worker takes down all that it runs, and nothing tells which job was the cause. So a loss counts as an attempt only
 * when the job ran alone or had become a suspect before; otherwise the attempt is given back. A job that kills its
 * workers therefore ends, after at most two losses more than it has attempts. The jobs beside it lose nothing: after two
 * losses in company they are suspects as it is, and never run beside it again.
 */
export async function countLoss(tx: PlatformTransaction, job: Job): Promise<Job> {
  const { workerId, losses } = job;
  // Those of its jobs that were taken over earlier are known by their last loss, whatever has become of them since.
  const beside = await tx.$queryRaw<unknown[]>`
    select 1 from platform.job where id <> ${job.id} and
      (lost_worker_id = ${workerId} or (worker_id = ${workerId} and state in ('RUNNING', 'CANCELING'))) limit 1`;
  const isCounted = beside.length === 0 || isSuspect(job);
  return tx.job.update({
    where: { id: job.id },
    data: { losses: losses + 1, lostWorkerId: workerId, maxAttempts: job.maxAttempts + (isCounted ? 0 : 1) },
  });
}
