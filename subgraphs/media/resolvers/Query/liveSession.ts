import { requireViewer } from '../../../../platform/identity/viewer';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const liveSession: QueryResolvers['liveSession'] = (_parent, { id }, { viewer, loaders }) =>
  requireViewer(viewer) && loaders.ownLiveSession.load(id);
