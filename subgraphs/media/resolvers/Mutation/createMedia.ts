import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const createMedia: MutationResolvers['createMedia'] = (_parent, { input }, { viewer, library, signal }) =>
  asPayload(() => library.create(requireViewer(viewer), input, signal), { media: null, job: null });
