import { readConnection } from '../../../platform/connection';
import type { Job } from '../../../platform/jobs/job';
import { bestTranscript } from '../best-transcript';
import type { MediaResolvers } from '../resolvers-types.generated';

export const Media: MediaResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownMedia.load(id),
  owner: ({ ownerId }) => ({ id: ownerId }),
  file: ({ fileId }) => ({ id: fileId }),
  language: async ({ id }, _args, { loaders }) => {
    const transcripts = await loaders.transcriptsOfMedia.load(id);
    return transcripts.find(({ state }) => state === 'COMPLETE')?.language ?? null;
  },
  transcript: async ({ id }, { language }, { loaders }) =>
    bestTranscript(await loaders.transcriptsOfMedia.load(id), language),
  transcripts: ({ id }, _args, { loaders }) => loaders.transcriptsOfMedia.load(id),
  lineage: ({ id }, _args, { loaders }) => loaders.lineageOfMedia.load(id),
  jobs: ({ id }, page, { records }) =>
    readConnection<Job>(
      page,
      (job) => job.id,
      (take, before) => records.jobsOfMedia(id, take, before),
    ),
};
