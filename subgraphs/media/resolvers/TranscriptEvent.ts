import type { TranscriptStreamEvent } from '../transcript-stream';
import type {
  StreamGapResolvers,
  TranscriptEventResolvers,
  TranscriptFinishedResolvers,
} from '../resolvers-types.generated';

const TYPES = {
  'segment.changed': 'SegmentChanged',
  'transcript.finished': 'TranscriptFinished',
  gap: 'StreamGap',
} as const;

export const TranscriptEvent: TranscriptEventResolvers = {
  __resolveType: (event) => TYPES[(event as TranscriptStreamEvent).type],
};

export const TranscriptFinished: TranscriptFinishedResolvers = {
  transcript: (event, _args, { loaders }) => loaders.ownTranscript.load((event as Finished).transcriptId),
};

type Finished = Extract<TranscriptStreamEvent, { type: 'transcript.finished' }>;

export const StreamGap: StreamGapResolvers = {
  reason: () => 'CURSOR_EXPIRED',
};
