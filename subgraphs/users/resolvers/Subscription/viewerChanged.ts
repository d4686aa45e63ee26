import type { StreamGap } from '../../../../platform/events/stream';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { ViewerChange } from '../../profile/viewer-changes';
import type { SubscriptionResolvers } from '../../resolvers-types.generated';

export const viewerChanged: SubscriptionResolvers['viewerChanged'] = {
  subscribe: (_parent, { after }, { viewer, viewerChanges, signal }) =>
    viewerChanges.follow(requireViewer(viewer), after, signal),
  resolve: (event: ViewerChange | StreamGap) => event,
};
