import { signedInPayload } from '../../context';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const refreshSession: MutationResolvers['refreshSession'] = (_parent, { input }, context) =>
  signedInPayload(context, () => context.sessions.refresh(input.refreshToken ?? '', context.identity));
