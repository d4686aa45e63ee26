import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const exportTranscript: MutationResolvers['exportTranscript'] = (_parent, { input }, { viewer, work }) =>
  asPayload(async () => ({ job: await work.exportTranscript(requireViewer(viewer), input) }), { job: null });
