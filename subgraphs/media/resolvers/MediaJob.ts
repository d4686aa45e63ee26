import { snapshotOf } from '../../../platform/jobs/job';
import { transcribeJob } from '../jobs/transcribe';
import type { ErrorCode, MediaJobResolvers } from '../resolvers-types.generated';

export const MediaJob: MediaJobResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownJob.load(id),
  kind: () => 'TRANSCRIBE',
  // Handlers and the runner give codes of the enum only; serialization refuses any other.
  error: (job) => snapshotOf(job).error as { code: ErrorCode; message: string; retryable: boolean } | null,
  media: ({ subjectId }, _args, { loaders }) => loaders.ownMedia.load(subjectId),
  result: ({ payload }, _args, { loaders }) => loaders.ownTranscript.load(transcribeJob.parse(payload).transcriptId),
};
