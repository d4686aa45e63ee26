import type { QueryResolvers } from '../../resolvers-types.generated';

export const identityProviders: QueryResolvers['identityProviders'] = (_parent, _args, { oauth }) => oauth.providers();
