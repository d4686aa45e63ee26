import { requireViewer } from '../../../../platform/identity/viewer';
import { asJobsPayload } from '../../asking/payload';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const reprocess: MutationResolvers['reprocess'] = (_parent, { input }, { viewer, reprocessing }) =>
  asJobsPayload(() => reprocessing.reprocess(requireViewer(viewer), input));
