import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const updateUserAccess: MutationResolvers['updateUserAccess'] = async (_parent, { input }, context) => {
  const { identity, userAccess, cookieSession } = context;
  const payload = await asPayload(async () => ({ user: await userAccess.update(identity, input) }), { user: null });
  const { user } = payload;
  if (user?.status === 'SUSPENDED' && user.id === identity.viewer?.userId) cookieSession?.end();
  return payload;
};
