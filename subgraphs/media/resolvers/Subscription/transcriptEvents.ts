import { requireViewer } from '../../../../platform/identity/viewer';
import type { SubscriptionResolvers } from '../../resolvers-types.generated';
import { openTranscriptStream, type TranscriptStreamEvent } from '../../transcript-stream';

export const transcriptEvents: SubscriptionResolvers['transcriptEvents'] = {
  subscribe: (_parent, wanted, { viewer, records, events, signal }) =>
    openTranscriptStream({ records, events }, requireViewer(viewer), wanted, signal),
  resolve: (event: TranscriptStreamEvent) => event,
};
