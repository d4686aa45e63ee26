import type { NotificationResolvers } from '../resolvers-types.generated';
import { jobStub, subjectStub } from './stubs';

export const Notification: NotificationResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownNotification.load(id),
  subject: ({ subjectId }) => subjectStub(subjectId),
  job: async ({ jobId }, _args, { loaders }) => {
    const kind = jobId === null ? null : await loaders.ownJobKind.load(jobId);
    return kind === null ? null : jobStub(jobId!, kind);
  },
};
