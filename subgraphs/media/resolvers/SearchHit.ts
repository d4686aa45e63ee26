import type { SearchHitResolvers } from '../resolvers-types.generated';

export const SearchHit: SearchHitResolvers = {
  media: async ({ mediaId }, _args, { loaders }) => (await loaders.ownMedia.load(mediaId))!,
  segment: ({ segmentId }, _args, { loaders }) => (segmentId === null ? null : loaders.ownSegment.load(segmentId)),
};
