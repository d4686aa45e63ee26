import type { QueryResolvers } from '../../resolvers-types.generated';

export const mediaEngines: QueryResolvers['mediaEngines'] = async (_parent, _args, { transcribers }) =>
  (await transcribers.list()).map(({ info, probe }) => ({
    ...info,
    languages: [...info.languages],
    keyterms: info.maxKeyterms > 0,
    version: info.version ?? null,
    available: probe.available,
    reason: probe.available ? null : probe.reason,
  }));
