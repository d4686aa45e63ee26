import type { UserConnectionResolvers } from '../resolvers-types.generated';

export const UserConnection: UserConnectionResolvers = {
  totalCount: (page, _args, { viewer, administration }) => administration.count(viewer, page),
};
