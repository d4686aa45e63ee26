import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const forgetTrustedDevices: MutationResolvers['forgetTrustedDevices'] = (
  _parent,
  _args,
  { identity, factors },
) => asPayload(() => factors.forgetDevices(identity), { user: null });
