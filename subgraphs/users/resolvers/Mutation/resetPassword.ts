import type { MutationResolvers } from '../../resolvers-types.generated';
import { acknowledged } from '../acknowledged';

export const resetPassword: MutationResolvers['resetPassword'] = (_parent, { input }, { passwordReset, identity }) =>
  acknowledged(() => passwordReset.reset({ ...input, endSessions: input.endSessions ?? true }, identity));
