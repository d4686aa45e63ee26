import type { AuditEventResolvers } from '../resolvers-types.generated';

export const AuditEvent: AuditEventResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.shownAuditEvent.load(id),
  actor: ({ actorId }, _args, { loaders }) => (actorId === null ? null : loaders.anyUser.load(actorId)),
};
