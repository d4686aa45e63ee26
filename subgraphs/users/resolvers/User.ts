import { readConnection } from '../../../platform/connection';
import type { SessionRow } from '../records';
import type { UserResolvers } from '../resolvers-types.generated';

export const User: UserResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownUser.load(id),
  email: (user, _args, { viewer }) => (viewer?.userId === user.id ? user.email : null),
  profile: ({ displayName, locale, timeZone }) => ({ displayName, locale, timeZone }),
  sessions: (user, page, { viewer, records }) =>
    viewer?.userId === user.id
      ? readConnection<SessionRow>(page, (session) => session.id, (take, before) => records.liveSessions(user.id, take, before))
      : null,
};
