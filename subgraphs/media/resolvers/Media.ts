import { readConnection } from '../../../platform/connection';
import { orAborted } from '../../../platform/or-aborted';
import type { Job } from '../../../platform/jobs/job';
import { bestTranscript } from '../best-transcript';
import type { MediaResolvers } from '../resolvers-types.generated';

export const Media: MediaResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownMedia.load(id),
  owner: ({ ownerId }) => ({ id: ownerId }),
  file: ({ fileId }) => ({ id: fileId }),
  durationMs: async (media, _args, { loaders, signal }) =>
    media.durationMs ?? (await orAborted(loaders.details.load(media), signal)).durationMs,
  artist: async (media, _args, { loaders, signal }) =>
    media.artist ?? (await orAborted(loaders.details.load(media), signal)).artist,
  album: async (media, _args, { loaders, signal }) =>
    media.album ?? (await orAborted(loaders.details.load(media), signal)).album,
  probe: async (media, _args, { loaders, signal }) => (await orAborted(loaders.details.load(media), signal)).probe,
  coverArt: async (media, _args, { facts, signal }) => {
    const id = await orAborted(facts.coverArt(media), signal);
    return id === null ? null : { id };
  },
  waveform: (media, { points }, { facts, signal }) => orAborted(facts.waveform(media, points), signal),
  thumbnail: (media, { atMs, width }, { facts, signal }) => orAborted(facts.thumbnail(media, atMs, width), signal),
  language: async ({ id }, _args, { loaders }) => {
    const transcripts = await loaders.transcriptsOfMedia.load(id);
    return transcripts.find(({ state }) => state === 'COMPLETE')?.language ?? null;
  },
  transcript: async ({ id }, { language }, { loaders }) =>
    bestTranscript(await loaders.transcriptsOfMedia.load(id), language),
  renditions: ({ id }, _args, { loaders }) => loaders.renditionsOfMedia.load(id),
  transcripts: ({ id }, _args, { loaders }) => loaders.transcriptsOfMedia.load(id),
  lineage: ({ id }, _args, { loaders }) => loaders.lineageOfMedia.load(id),
  jobs: ({ id }, page, { records }) =>
    readConnection<Job>(
      page,
      (job) => job.id,
      (take, before) => records.jobsOfMedia(id, take, before),
    ),
};
