import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';
import { liveSessionPayload } from '../live-session-payload';

export const flushLiveSession: MutationResolvers['flushLiveSession'] = (
  _parent,
  { input },
  { viewer, liveCalls, loaders },
) => liveSessionPayload(loaders, () => liveCalls.flush(requireViewer(viewer), input.sessionId));
