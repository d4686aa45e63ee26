import { requireViewer } from '../../../../platform/identity/viewer';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const transcript: QueryResolvers['transcript'] = (_parent, { id }, { viewer, loaders }) =>
  requireViewer(viewer) && loaders.ownTranscript.load(id);
