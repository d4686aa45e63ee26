import { requireViewer } from '../../../../platform/identity/viewer';
import { asJobsPayload } from '../../asking/payload';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const translateTranscript: MutationResolvers['translateTranscript'] = (_parent, { input }, { viewer, work }) =>
  asJobsPayload(() => work.translateTranscript(requireViewer(viewer), input));
