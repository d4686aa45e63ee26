import { readConnection } from '../../../platform/connection';
import { suspensionOf, statusOf } from '../administration/visible-access';
import { isSelf, isShown, isShownAtSignIn } from '../context';
import type { SessionRow } from '../records';
import type { UserResolvers } from '../resolvers-types.generated';

export const User: UserResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.shownUser.load(id),
  email: (user, _args, context) => (isShownAtSignIn(context, user.id) ? user.email : null),
  emailVerified: (user, _args, context) => (isShownAtSignIn(context, user.id) ? user.emailVerifiedAt !== null : null),
  roles: (user, _args, context) => (isShownAtSignIn(context, user.id) ? ['USER', ...user.roles] : null),
  status: (user, _args, context) => (isShown(context, user.id) ? statusOf(user, context.clock()) : null),
  suspension: (user, _args, context) => (isShown(context, user.id) ? suspensionOf(user, context.clock()) : null),
  lastSignInAt: (user, _args, context) => (isShown(context, user.id) ? user.lastSignInAt : null),
  deletesAt: (user, _args, context) => (isShown(context, user.id) ? user.deletesAt : null),
  hasPassword: (user, _args, context) => (isSelf(context, user.id) ? user.passwordHash !== null : null),
  profile: (user) => user,
  preferences: (user, _args, context) => (isSelf(context, user.id) ? user : null),
  identities: (user, _args, context) => (isSelf(context, user.id) ? context.loaders.identitiesOf.load(user.id) : null),
  sessions: (user, page, context) =>
    isSelf(context, user.id)
      ? readConnection<SessionRow>(
          page,
          (session) => session.id,
          (take, before) => context.sessions.live(user.id, take, before),
        )
      : null,
  mfaFactors: (user, _args, context) => (isSelf(context, user.id) ? context.factors.list(user.id) : null),
  apiKeys: (user, _args, context) => (isSelf(context, user.id) ? context.apiKeys.list(user.id) : null),
  credits: (user, _args, context) => (isShown(context, user.id) ? context.credits.of(user.id) : null),
  usage: (user, { period }, context) => (isShown(context, user.id) ? context.credits.usage(user.id, period) : null),
};
