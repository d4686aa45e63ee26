import type { LiveStreamEvent } from '../live/live-stream';
import type { LiveSessionChangedResolvers, LiveTranscriptEventResolvers } from '../resolvers-types.generated';

const TYPES = {
  'segment.changed': 'SegmentChanged',
  'speech.boundary': 'SpeechBoundary',
  'session.changed': 'LiveSessionChanged',
} as const;

export const LiveTranscriptEvent: LiveTranscriptEventResolvers = {
  __resolveType: (event) => ('type' in event ? TYPES[(event as Typed).type] : 'StreamGap'),
};

export const LiveSessionChanged: LiveSessionChangedResolvers = {
  session: ({ session, cursor }) => ({ ...session!, cursor: cursor! }),
};

type Typed = Exclude<LiveStreamEvent, { reason: unknown }>;
