import type { NotificationResolvers } from '../resolvers-types.generated';
import { jobStub, subjectStub } from './stubs';

export const Notification: NotificationResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownNotification.load(id),
  subject: ({ subjectId }) => subjectStub(subjectId),
  job: ({ jobId }) => (jobId === null ? null : jobStub(jobId)),
};
