import type { TranscriptEventResolvers, TranscriptFinishedResolvers } from '../resolvers-types.generated';
import type { TranscriptStreamEvent } from '../transcript-stream';

const TYPES = {
  'segment.changed': 'SegmentChanged',
  'transcript.finished': 'TranscriptFinished',
} as const;

export const TranscriptEvent: TranscriptEventResolvers = {
  __resolveType: (event) => ('type' in event ? TYPES[(event as Typed).type] : 'StreamGap'),
};

export const TranscriptFinished: TranscriptFinishedResolvers = {
  transcript: (event, _args, { loaders }) => loaders.ownTranscript.load((event as Finished).transcriptId),
};

type Typed = Exclude<TranscriptStreamEvent, { reason: unknown }>;
type Finished = Extract<Typed, { type: 'transcript.finished' }>;
