import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const grantCredits: MutationResolvers['grantCredits'] = (_parent, { input }, { identity, creditGrants }) =>
  asPayload(() => creditGrants.grant(identity, input), { account: null, entry: null });
