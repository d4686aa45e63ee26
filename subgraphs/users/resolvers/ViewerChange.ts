import { accountGone } from '../profile/account-gone';
import type { ViewerChangeResolvers } from '../resolvers-types.generated';

export const ViewerChange: ViewerChangeResolvers = {
  viewer: async ({ userId }, _args, { loaders }) => (await loaders.ownUser.load(userId)) ?? accountGone(),
};
