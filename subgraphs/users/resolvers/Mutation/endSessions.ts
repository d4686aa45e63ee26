import { UserProblemError } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const endSessions: MutationResolvers['endSessions'] = async (_parent, { input }, context) => {
  const { identity, sessions, cookieSession } = context;
  const viewer = requireViewer(identity.viewer);
  try {
    const ended = await sessions.end(viewer, input, identity);
    if (!input.allOthers && (input.sessionId ?? viewer.sessionId) === viewer.sessionId) cookieSession?.end();
    return { ended, errors: [] };
  } catch (error) {
    if (error instanceof UserProblemError) return { ended: 0, errors: [error.problem] };
    throw error;
  }
};
