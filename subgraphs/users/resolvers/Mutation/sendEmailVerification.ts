import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';
import { acknowledged } from '../acknowledged';

export const sendEmailVerification: MutationResolvers['sendEmailVerification'] = (
  _parent,
  _args,
  { emailVerification, viewer },
) => acknowledged(() => emailVerification.sendAgain(requireViewer(viewer)));
