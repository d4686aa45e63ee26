import { requireViewer } from '../../../../platform/identity/viewer';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const search: QueryResolvers['search'] = (_parent, { query, filter, ...page }, { viewer, search }) =>
  search.find(requireViewer(viewer), query, page, filter ?? {});
