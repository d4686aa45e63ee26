import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const updateProfile: MutationResolvers['updateProfile'] = (_parent, { input }, { viewer, accounts }) =>
  asPayload(async () => ({ user: await accounts.updateProfile(requireViewer(viewer), input) }), { user: null });
