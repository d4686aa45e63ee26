import { wordsOf } from '../partial-translations';
import type { TranscriptSegmentResolvers } from '../resolvers-types.generated';

export const TranscriptSegment: TranscriptSegmentResolvers = {
  translation: async (segment, { to }, { loaders, partialTranslations, signal }) => {
    const { text, language, state } = segment;
    if (state === 'PARTIAL') {
      return { ...(await partialTranslations.translate(segment, to, signal)), provisional: true };
    }
    const translated = await loaders.segmentTranslation.load({ text, language, to });
    return { ...translated, provisional: false, sourceWords: wordsOf(text).length };
  },
};
