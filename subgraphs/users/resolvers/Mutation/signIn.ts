import { signedInPayload } from '../../context';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const signIn: MutationResolvers['signIn'] = (_parent, { input }, context) =>
  signedInPayload(context, () => context.passwordSignIn.signIn(input, context.identity));
