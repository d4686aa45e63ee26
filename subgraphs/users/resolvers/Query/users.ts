import type { QueryResolvers } from '../../resolvers-types.generated';

export const users: QueryResolvers['users'] = (_parent, { filter, ...page }, { viewer, administration }) =>
  administration.users(viewer, page, filter ?? {});
