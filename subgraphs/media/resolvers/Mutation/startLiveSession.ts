import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';
import { liveSessionPayload } from '../live-session-payload';

export const startLiveSession: MutationResolvers['startLiveSession'] = (
  _parent,
  { input },
  { viewer, liveStarts, loaders },
) => liveSessionPayload(loaders, () => liveStarts.start(requireViewer(viewer), input));
