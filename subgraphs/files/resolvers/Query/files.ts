import { requireViewer } from '../../../../platform/identity/viewer';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const files: QueryResolvers['files'] = (_parent, { filter, ...page }, { viewer, files }) =>
  files.list(requireViewer(viewer), page, filter ?? {});
