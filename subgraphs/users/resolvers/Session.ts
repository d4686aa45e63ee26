import type { SessionResolvers } from '../resolvers-types.generated';

export const Session: SessionResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownSession.load(id),
  current: (session, _args, { viewer }) => viewer?.sessionId === session.id,
};
