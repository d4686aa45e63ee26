import { requireViewer } from '../../../../platform/identity/viewer';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const estimate: QueryResolvers['estimate'] = (_parent, { input }, { viewer, estimates }) =>
  estimates.estimate(requireViewer(viewer), input);
