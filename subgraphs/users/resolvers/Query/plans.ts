import type { QueryResolvers } from '../../resolvers-types.generated';

export const plans: QueryResolvers['plans'] = (_parent, _args, { credits }) => credits.plans();
