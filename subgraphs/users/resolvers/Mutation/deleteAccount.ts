import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const deleteAccount: MutationResolvers['deleteAccount'] = async (_parent, { input }, context) => {
  const { identity, accountRequests, cookieSession } = context;
  const payload = await asPayload(async () => ({ job: await accountRequests.deleteAccount(identity, input) }), {
    job: null,
  });
  if (payload.job) cookieSession?.end();
  return payload;
};
