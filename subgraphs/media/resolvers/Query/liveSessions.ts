import { requireViewer } from '../../../../platform/identity/viewer';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const liveSessions: QueryResolvers['liveSessions'] = (_parent, { states, ...page }, { viewer, liveSessions }) =>
  liveSessions.list(requireViewer(viewer), page, states ?? null);
