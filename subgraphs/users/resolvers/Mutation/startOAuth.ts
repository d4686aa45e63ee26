import { asPayload } from '../../../../platform/errors';
import type { MutationResolvers } from '../../resolvers-types.generated';

export const startOAuth: MutationResolvers['startOAuth'] = (_parent, { input }, { viewer, oauth }) =>
  asPayload(() => oauth.start(input, viewer), { authorizationUrl: null, state: null });
