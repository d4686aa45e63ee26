import type { TranscriptSegmentResolvers } from '../resolvers-types.generated';

export const TranscriptSegment: TranscriptSegmentResolvers = {
  translation: async ({ text, language, state }, { to }, { loaders }) => ({
    ...(await loaders.segmentTranslation.load({ text, language, to })),
    provisional: state === 'PARTIAL',
  }),
};
