import { UserProblemError } from '../../../platform/errors';
import type { Job } from '../../../platform/jobs/job';
import type { ErrorCode } from '../resolvers-types.generated';

/** The graph's MediaJobsPayload: the jobs, or none and the problem that was thrown. */
export async function asJobsPayload(begin: () => Promise<Job[]>) {
  try {
    return { jobs: await begin(), errors: [] };
  } catch (error) {
    if (!(error instanceof UserProblemError)) throw error;
    return { jobs: [], errors: [{ ...error.problem, code: error.problem.code as ErrorCode }] };
  }
}
