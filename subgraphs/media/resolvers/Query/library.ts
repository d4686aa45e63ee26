import { requireViewer } from '../../../../platform/identity/viewer';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const library: QueryResolvers['library'] = (_parent, { filter, ...page }, { viewer, library }) =>
  library.list(requireViewer(viewer), page, filter ?? {});
