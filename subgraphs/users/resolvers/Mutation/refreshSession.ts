import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const refreshSession: MutationResolvers['refreshSession'] = (_parent, { input }, { sessions }) =>
  asPayload(() => sessions.refresh(input.refreshToken), { viewer: null, tokens: null });
