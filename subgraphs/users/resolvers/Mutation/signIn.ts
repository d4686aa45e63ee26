import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const signIn: MutationResolvers['signIn'] = (_parent, { input }, { accounts }) =>
  asPayload(() => accounts.signIn(input), { viewer: null, tokens: null });
