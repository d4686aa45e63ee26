import type { StreamGap } from '../../../../platform/events/stream';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { InboxChange } from '../../inbox';
import type { SubscriptionResolvers } from '../../resolvers-types.generated';

export const inboxEvents: SubscriptionResolvers['inboxEvents'] = {
  subscribe: (_parent, { after }, { viewer, inbox, signal }) => inbox.follow(requireViewer(viewer), after, signal),
  resolve: (event: InboxChange | StreamGap) => event,
};
