import { UserProblemError } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const endSessions: MutationResolvers['endSessions'] = async (_parent, { input }, { identity, sessions }) => {
  try {
    return { ended: await sessions.end(requireViewer(identity.viewer), input, identity), errors: [] };
  } catch (error) {
    if (error instanceof UserProblemError) return { ended: 0, errors: [error.problem] };
    throw error;
  }
};
