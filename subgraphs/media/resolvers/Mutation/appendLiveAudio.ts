import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';
import { liveSessionPayload } from '../live-session-payload';

export const appendLiveAudio: MutationResolvers['appendLiveAudio'] = (
  _parent,
  { input },
  { viewer, liveCalls, loaders, signal },
) => liveSessionPayload(loaders, () => liveCalls.append(requireViewer(viewer), input, signal));
