import { listLanguages } from '../../languages';
import type { QueryResolvers } from '../../resolvers-types.generated';

export const languages: QueryResolvers['languages'] = async (_parent, _args, { engines }) =>
  listLanguages(await engines.pairs());
