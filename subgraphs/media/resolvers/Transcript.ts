import { exportOf } from '../exports/export-of';
import { checkedExportOptions } from '../exports/export-options';
import type { TranscriptResolvers } from '../resolvers-types.generated';
import { readSegments } from '../segment-pages';

export const Transcript: TranscriptResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownTranscript.load(id),
  media: ({ mediaId }, _args, { loaders }) => (mediaId === null ? null : loaders.ownMedia.load(mediaId)),
  speakers: ({ id }, _args, { loaders }) => loaders.speakersOfTranscript.load(id),
  text: ({ id }, _args, { loaders }) => loaders.textOfTranscript.load(id),
  segments: ({ id }, page, { records }) => readSegments(records, id, page),
  translations: ({ id }, _args, { loaders }) => loaders.translationsOfTranscript.load(id),
  export: (transcript, { format, options }, { exportRecords }) =>
    exportOf(exportRecords, transcript, format, checkedExportOptions(options)),
};
