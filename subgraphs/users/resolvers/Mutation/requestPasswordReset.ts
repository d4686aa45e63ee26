import type { MutationResolvers } from '../../resolvers-types.generated';
import { acknowledged } from '../acknowledged';

export const requestPasswordReset: MutationResolvers['requestPasswordReset'] = (
  _parent,
  { input },
  { passwordReset, identity },
) => acknowledged(() => passwordReset.ask(input.email, identity));
