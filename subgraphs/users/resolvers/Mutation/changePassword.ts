import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const changePassword: MutationResolvers['changePassword'] = (
  _parent,
  { input: { currentPassword = null, newPassword, endOtherSessions } },
  { passwordChange, viewer, identity },
) => {
  const input = { currentPassword, newPassword, endOtherSessions: endOtherSessions ?? true };
  return asPayload(async () => ({ user: await passwordChange.change(requireViewer(viewer), input, identity) }), {
    user: null,
  });
};
