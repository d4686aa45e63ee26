import { asPayload } from '../../../../platform/errors';
import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const uploadFile: MutationResolvers['uploadFile'] = (_parent, { input }, { viewer, uploads, signal }) =>
  asPayload(async () => ({ file: await uploads.upload(requireViewer(viewer), input, signal) }), { file: null });
