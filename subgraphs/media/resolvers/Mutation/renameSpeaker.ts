import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const renameSpeaker: MutationResolvers['renameSpeaker'] = (_parent, { input }, { viewer, speakerNames }) =>
  asPayload(async () => ({ transcript: await speakerNames.rename(requireViewer(viewer), input) }), {
    transcript: null,
  });
