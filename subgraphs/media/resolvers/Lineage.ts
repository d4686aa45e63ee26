import type { MediaJobKind } from '../jobs/kinds';
import type { LineageResolvers } from '../resolvers-types.generated';

export const Lineage: LineageResolvers = {
  kind: ({ kind }) => kind as MediaJobKind, // only jobs of this slice write it
  at: ({ createdAt }) => createdAt,
  isStale: async ({ outputId, mediaId }, _args, { loaders }) =>
    (await loaders.staleOutputs.load(mediaId)).has(outputId),
};
