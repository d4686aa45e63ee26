import { UserProblemError } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const markNotifications: MutationResolvers['markNotifications'] = async (
  _parent,
  { input },
  { viewer, inbox },
) => {
  try {
    return { notifications: await inbox.mark(requireViewer(viewer), input), errors: [] };
  } catch (error) {
    if (error instanceof UserProblemError) return { notifications: [], errors: [error.problem] };
    throw error;
  }
};
