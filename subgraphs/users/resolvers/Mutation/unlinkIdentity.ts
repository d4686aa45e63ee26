import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const unlinkIdentity: MutationResolvers['unlinkIdentity'] = (_parent, { input }, { identity, oauth }) =>
  asPayload(async () => ({ user: await oauth.unlink(input.id, identity) }), { user: null });
