import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const transcribe: MutationResolvers['transcribe'] = (_parent, { input }, { viewer, work }) =>
  asPayload(async () => ({ job: await work.transcribe(requireViewer(viewer), input) }), { job: null });
