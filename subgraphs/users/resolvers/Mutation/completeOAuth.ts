import { signedInPayload } from '../../context';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const completeOAuth: MutationResolvers['completeOAuth'] = (_parent, { input }, context) =>
  signedInPayload(context, () => context.oauth.complete(input, context.identity));
