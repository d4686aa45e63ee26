import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const confirmTotp: MutationResolvers['confirmTotp'] = (_parent, { input }, { identity, factors }) =>
  asPayload(() => factors.confirm(identity, input), { recoveryCodes: null, user: null });
