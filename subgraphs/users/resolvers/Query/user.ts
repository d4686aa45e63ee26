import type { QueryResolvers } from '../../resolvers-types.generated';

export const user: QueryResolvers['user'] = (_parent, { id }, { loaders }) => loaders.shownUser.load(id);
