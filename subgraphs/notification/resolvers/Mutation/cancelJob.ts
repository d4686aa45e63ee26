import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const cancelJob: MutationResolvers['cancelJob'] = (_parent, { input }, { viewer, jobs }) =>
  asPayload(async () => ({ job: await jobs.cancel(requireViewer(viewer), input.jobId) }), { job: null });
