import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const removeMfaFactor: MutationResolvers['removeMfaFactor'] = (_parent, { input }, { identity, factors }) =>
  asPayload(() => factors.remove(identity, input.id), { user: null, recoveryCodes: null });
