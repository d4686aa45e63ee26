import type { TranscriptTranslationResolvers } from '../resolvers-types.generated';

export const TranscriptTranslation: TranscriptTranslationResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownTranslation.load(id),
  transcript: async ({ transcriptId }, _args, { loaders }) => (await loaders.ownTranscript.load(transcriptId))!,
  staleSegments: ({ id }, _args, { loaders }) => loaders.staleSegments.load(id),
  text: ({ id }, _args, { loaders }) => loaders.textOfTranslation.load(id),
};
