import { readConnection } from '../../../platform/connection';
import { exportTranscript } from '../exports/export-transcript';
import type { SegmentRow } from '../records';
import type { TranscriptResolvers } from '../resolvers-types.generated';

export const Transcript: TranscriptResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownTranscript.load(id),
  media: async ({ mediaId }, _args, { loaders }) => (await loaders.ownMedia.load(mediaId))!,
  text: ({ id }, _args, { loaders }) => loaders.textOfTranscript.load(id),
  segments: ({ id }, { first, after, fromMs, toMs }, { records }) =>
    readConnection<SegmentRow>(
      { first, after },
      (segment) => String(segment.position),
      (take, position) =>
        records.segments(id, { take, after: position === null ? null : Number(position), fromMs, toMs }),
    ),
  export: async (transcript, { format }, { records }) =>
    exportTranscript(transcript, await records.segments(transcript.id), format),
};
