import type { QueryResolvers } from '../../resolvers-types.generated';

export const viewer: QueryResolvers['viewer'] = (_parent, _args, { viewer, loaders }) =>
  viewer ? loaders.ownUser.load(viewer.userId) : null;
