import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';
import { liveSessionPayload } from '../live-session-payload';

export const endLiveSession: MutationResolvers['endLiveSession'] = (
  _parent,
  { input },
  { viewer, liveCalls, loaders },
) => liveSessionPayload(loaders, () => liveCalls.end(requireViewer(viewer), input.sessionId));
