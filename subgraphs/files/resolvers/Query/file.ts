import { requireViewer } from '../../../../platform/identity/viewer';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const file: QueryResolvers['file'] = (_parent, { id }, { viewer, loaders }) =>
  requireViewer(viewer) && loaders.ownFile.load(id);
