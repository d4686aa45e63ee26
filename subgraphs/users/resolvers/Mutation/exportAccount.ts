import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const exportAccount: MutationResolvers['exportAccount'] = (_parent, { input }, { identity, accountRequests }) =>
  asPayload(async () => ({ job: await accountRequests.exportAccount(identity, input.idempotencyKey) }), { job: null });
