import { FINAL_STATES, type Job } from '../jobs/job';
import type { Platform } from '../platform';
import { waitFor } from './wait';

/** The job once it has ended; rejects like {@link waitFor} when it has not within `limitMs`. */
export function jobEnd({ database }: Pick<Platform, 'database'>, id: string, limitMs?: number): Promise<Job> {
  const look = async (): Promise<Job | null> => {
    const job = await database.prisma.job.findUniqueOrThrow({ where: { id } });
    return FINAL_STATES.includes(job.state) ? job : null;
  };
  return waitFor('the job to end', look, limitMs);
}
