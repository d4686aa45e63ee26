import type { SearchHitResolvers } from '../resolvers-types.generated';

/** The database counts in single precision, whose further digits mean nothing. */
const SCORE_STEPS = 10_000;

export const SearchHit: SearchHitResolvers = {
  score: ({ score }) => Math.round(score * SCORE_STEPS) / SCORE_STEPS,
  media: async ({ mediaId }, _args, { loaders }) => (await loaders.ownMedia.load(mediaId))!,
  segment: ({ segmentId }, _args, { loaders }) => (segmentId === null ? null : loaders.ownSegment.load(segmentId)),
};
