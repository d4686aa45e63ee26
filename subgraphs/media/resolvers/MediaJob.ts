import { priorityOf, snapshotOf } from '../../../platform/jobs/job';
import { resultOf } from '../job-results';
import type { MediaJobKind } from '../jobs/kinds';
import type { ErrorCode, MediaJobResolvers } from '../resolvers-types.generated';

export const MediaJob: MediaJobResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownJob.load(id),
  kind: ({ kind }) => kind as MediaJobKind, // no other kinds are read
  priority: (job) => priorityOf(job),
  needs: ({ id }, _args, { loaders }) => loaders.neededJobs.load(id),
  // Handlers and the runner give codes of the enum only; serialization refuses any other.
  error: (job) => snapshotOf(job).error as { code: ErrorCode; message: string; retryable: boolean } | null,
  media: ({ subjectId }, _args, { loaders }) => loaders.ownMedia.load(subjectId),
  result: (job, _args, { loaders }) => resultOf(job, loaders),
};
