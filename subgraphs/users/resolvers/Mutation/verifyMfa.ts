import { signedInPayload } from '../../context';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const verifyMfa: MutationResolvers['verifyMfa'] = (_parent, { input }, context) =>
  signedInPayload(context, () =>
    context.mfaSignIn.verify(context.identity, { ...input, trustDevice: input.trustDevice ?? false }),
  );
