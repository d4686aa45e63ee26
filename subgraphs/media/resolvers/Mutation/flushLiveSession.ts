import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const flushLiveSession: MutationResolvers['flushLiveSession'] = (
  _parent,
  { input },
  { viewer, liveCalls, loaders },
) =>
  asPayload(
    async () => ({
      session: await loaders.ownLiveSession.load(await liveCalls.flush(requireViewer(viewer), input.sessionId)),
    }),
    { session: null },
  );
