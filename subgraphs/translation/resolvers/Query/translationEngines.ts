import type { QueryResolvers } from '../../resolvers-types.generated';

export const translationEngines: QueryResolvers['translationEngines'] = (_parent, _args, { engines }) =>
  engines.states();
