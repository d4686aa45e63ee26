import { priorityOf, snapshotOf } from '../../../platform/jobs/job';
import { transcribeJob } from '../jobs/transcribe';
import type { ErrorCode, JobKind, MediaJobResolvers } from '../resolvers-types.generated';

export const MediaJob: MediaJobResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownJob.load(id),
  kind: ({ kind }) => kind as JobKind,
  priority: (job) => priorityOf(job),
  needs: () => [],
  // Handlers and the runner give codes of the enum only; serialization refuses any other.
  error: (job) => snapshotOf(job).error as { code: ErrorCode; message: string; retryable: boolean } | null,
  media: ({ subjectId }, _args, { loaders }) => loaders.ownMedia.load(subjectId),
  result: ({ payload }, _args, { loaders }) => loaders.ownTranscript.load(transcribeJob.parse(payload).transcriptId),
};
