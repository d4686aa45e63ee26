import { signedInPayload } from '../../context';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const refreshSession: MutationResolvers['refreshSession'] = async (_parent, { input }, context) => {
  const { cookieSession } = context;
  const refreshToken = input.refreshToken ?? cookieSession?.refreshToken ?? '';
  const payload = await signedInPayload(context, () => context.sessions.refresh(refreshToken, context.identity));
  if (payload.errors.some(({ code }) => code === 'TOKEN_EXPIRED' || code === 'TOKEN_REUSED')) cookieSession?.end();
  return payload;
};
