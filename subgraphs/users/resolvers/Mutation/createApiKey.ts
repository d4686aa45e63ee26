import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const createApiKey: MutationResolvers['createApiKey'] = (_parent, { input }, { identity, apiKeys }) =>
  asPayload(() => apiKeys.create(identity, input), { key: null, apiKey: null });
