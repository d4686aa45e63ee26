import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const retryJob: MutationResolvers['retryJob'] = (_parent, { input }, { viewer, jobs }) =>
  asPayload(async () => ({ job: await jobs.retry(requireViewer(viewer), input.jobId) }), { job: null });
