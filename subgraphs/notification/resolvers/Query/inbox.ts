import { requireViewer } from '../../../../platform/identity/viewer';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const inbox: QueryResolvers['inbox'] = (_parent, { filter, ...page }, { viewer, inbox }) =>
  inbox.list(requireViewer(viewer), page, filter ?? {});
