import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const enrollTotp: MutationResolvers['enrollTotp'] = (_parent, { input }, { identity, factors }) =>
  asPayload(() => factors.enroll(identity, input), { factorId: null, secret: null, uri: null });
