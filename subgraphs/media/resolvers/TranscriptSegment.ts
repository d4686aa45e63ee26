import type { TranscriptSegmentResolvers } from '../resolvers-types.generated';

export const TranscriptSegment: TranscriptSegmentResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownSegment.load(id),
  state: () => 'FINAL',
};
