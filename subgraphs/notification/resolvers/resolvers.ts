import { scalars } from '../../../platform/subgraph/scalars';
import type { Resolvers } from '../resolvers-types.generated';
import { JobSummary } from './JobSummary';
import { cancelJob } from './Mutation/cancelJob';
import { markNotifications } from './Mutation/markNotifications';
import { prioritizeJob } from './Mutation/prioritizeJob';
import { retryJob } from './Mutation/retryJob';
import { Notification } from './Notification';
import { inbox } from './Query/inbox';
import { jobs } from './Query/jobs';
import { inboxEvents } from './Subscription/inboxEvents';
import { jobEvents } from './Subscription/jobEvents';
import { unread } from './unread';

export const resolvers: Resolvers = {
  Query: { inbox, jobs },
  Mutation: { markNotifications, cancelJob, retryJob, prioritizeJob },
  Subscription: { jobEvents, inboxEvents },
  Notification,
  NotificationConnection: { unread },
  MarkNotificationsPayload: { unread },
  InboxChanged: { unread },
  JobSummary,
  JobStreamEvent: { __resolveType: (event) => ('jobId' in event ? 'JobSummary' : 'StreamGap') },
  InboxStreamEvent: { __resolveType: (event) => ('notification' in event ? 'InboxChanged' : 'StreamGap') },
  DateTime: scalars.DateTime,
};
