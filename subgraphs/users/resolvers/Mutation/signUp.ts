import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const signUp: MutationResolvers['signUp'] = (_parent, { input }, { accounts }) =>
  asPayload(() => accounts.signUp({ ...input, locale: input.locale ?? 'en', timeZone: input.timeZone ?? 'UTC' }), { viewer: null, tokens: null });
