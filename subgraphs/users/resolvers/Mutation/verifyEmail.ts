import type { MutationResolvers } from '../../resolvers-types.generated';
import { acknowledged } from '../acknowledged';

export const verifyEmail: MutationResolvers['verifyEmail'] = (_parent, { input }, { emailVerification, identity }) =>
  acknowledged(() => emailVerification.confirm(input.token, identity));
