import { requireViewer } from '../../../../platform/identity/viewer';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const jobs: QueryResolvers['jobs'] = (_parent, { filter, ...page }, { viewer, jobs }) =>
  jobs.list(requireViewer(viewer), page, filter ?? {});
