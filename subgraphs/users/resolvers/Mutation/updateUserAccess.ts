import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const updateUserAccess: MutationResolvers['updateUserAccess'] = async (
  _parent,
  { input },
  { identity, userAccess },
) => ({
  ...(await asPayload(async () => ({ user: await userAccess.update(identity, input) }), { user: null })),
  recoveryCodes: null,
});
