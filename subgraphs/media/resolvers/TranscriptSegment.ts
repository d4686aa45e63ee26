import type { TranscriptSegmentResolvers } from '../resolvers-types.generated';

export const TranscriptSegment: TranscriptSegmentResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownSegment.load(id),
  speaker: ({ speakerId }, _args, { loaders }) => (speakerId === null ? null : loaders.speaker.load(speakerId)),
  stableWords: ({ state, stableWords, words }) => (state === 'PARTIAL' ? stableWords : words.length),
  words: async ({ transcriptId, words }, _args, { loaders }) => {
    if (words.every(({ speaker }) => speaker === undefined)) return words;
    const speakers = await loaders.speakersOfTranscript.load(transcriptId);
    const labels = new Map(speakers.map(({ key, label }) => [key, label]));
    return words.map(({ speaker, ...word }) => ({
      ...word,
      speakerLabel: speaker === undefined ? null : (labels.get(speaker) ?? speaker),
    }));
  },
};
