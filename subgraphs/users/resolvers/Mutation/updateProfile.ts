import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const updateProfile: MutationResolvers['updateProfile'] = (_parent, { input }, { viewer, profiles }) =>
  asPayload(async () => ({ user: await profiles.update(requireViewer(viewer), input) }), { user: null });
