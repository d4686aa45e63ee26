import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const prioritizeJob: MutationResolvers['prioritizeJob'] = (_parent, { input }, { viewer, jobs }) =>
  asPayload(async () => ({ job: await jobs.prioritize(requireViewer(viewer), input.jobId, input.priority) }), {
    job: null,
  });
