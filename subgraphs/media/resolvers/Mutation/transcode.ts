import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const transcode: MutationResolvers['transcode'] = (_parent, { input }, { viewer, transcodings }) =>
  asPayload(async () => ({ job: await transcodings.transcode(requireViewer(viewer), input) }), { job: null });
