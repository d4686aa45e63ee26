import { requireViewer } from '../../../../platform/identity/viewer';
import { openLiveStream, type LiveStreamEvent } from '../../live/live-stream';
import type { SubscriptionResolvers } from '../../resolvers-types.generated';

export const liveTranscript: SubscriptionResolvers['liveTranscript'] = {
  subscribe: (_parent, wanted, { viewer, records, liveRecords, events, signal }) =>
    openLiveStream({ records, liveRecords, events }, requireViewer(viewer), wanted, signal),
  resolve: (event: LiveStreamEvent) => event,
};
