import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const appendLiveAudio: MutationResolvers['appendLiveAudio'] = (
  _parent,
  { input },
  { viewer, liveCalls, loaders, signal },
) =>
  asPayload(
    async () => ({
      session: await loaders.ownLiveSession.load(await liveCalls.append(requireViewer(viewer), input, signal)),
    }),
    { session: null },
  );
