import type { StreamGap } from '../../../../platform/events/stream';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { JobSummary } from '../../jobs';
import type { SubscriptionResolvers } from '../../resolvers-types.generated';

export const jobEvents: SubscriptionResolvers['jobEvents'] = {
  subscribe: (_parent, options, { viewer, jobs, signal }) => jobs.follow(requireViewer(viewer), options, signal),
  resolve: (event: JobSummary | StreamGap) => event,
};
