import { requireViewer } from '../../../../platform/identity/viewer';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const media: QueryResolvers['media'] = (_parent, { id }, { viewer, loaders }) =>
  requireViewer(viewer) && loaders.ownMedia.load(id);
