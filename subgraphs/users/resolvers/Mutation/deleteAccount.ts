import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const deleteAccount: MutationResolvers['deleteAccount'] = (_parent, { input }, { identity, accountRequests }) =>
  asPayload(async () => ({ job: await accountRequests.deleteAccount(identity, input) }), { job: null });
