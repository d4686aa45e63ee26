import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const startLiveSession: MutationResolvers['startLiveSession'] = (
  _parent,
  { input },
  { viewer, liveStarts, loaders },
) =>
  asPayload(
    async () => ({
      session: await loaders.ownLiveSession.load(await liveStarts.start(requireViewer(viewer), input)),
    }),
    { session: null },
  );
