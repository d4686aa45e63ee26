import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const revokeApiKey: MutationResolvers['revokeApiKey'] = (_parent, { input }, { identity, apiKeys }) =>
  asPayload(() => apiKeys.revoke(identity, input.id), { user: null });
