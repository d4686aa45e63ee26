import { requireViewer } from '../../../../platform/identity/viewer';
import type { MutationResolvers } from '../../resolvers-types.generated';
import { acknowledged } from '../acknowledged';

export const changeEmail: MutationResolvers['changeEmail'] = (_parent, { input }, { emailChange, viewer, identity }) =>
  acknowledged(() => emailChange.ask(requireViewer(viewer), input.email, identity));
