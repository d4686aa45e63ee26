import { UserProblemError } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const endSessions: MutationResolvers['endSessions'] = async (_parent, { input }, context) => {
  const viewer = requireViewer(context.viewer);
  try {
    const ended = await context.sessions.end(viewer, input);
    if (!input.allOthers && (input.sessionId ?? viewer.sessionId) === viewer.sessionId) context.cookieSession?.end();
    return { ended, errors: [] };
  } catch (error) {
    if (error instanceof UserProblemError) return { ended: 0, errors: [error.problem] };
    throw error;
  }
};
