import { mutation, type Rules } from '../rule';

export const NOTIFICATION_RULES: Rules = {
  'Query.jobs.filter.subjectId': {
    kind: 'med',
    subgraph: 'notification',
    document: 'query Read($filter: JobFilter) { jobs(filter: $filter) { nodes { kind } pageInfo { endCursor } } }',
    variables: (subjectId) => ({ filter: { subjectId } }),
  },
  'Mutation.cancelJob.input.jobId': mutation(
    'notification',
    'cancelJob',
    'JobIdInput',
    'job { state }',
    'job',
    (jobId) => ({ jobId }),
  ),
  'Mutation.retryJob.input.jobId': mutation(
    'notification',
    'retryJob',
    'JobIdInput',
    'job { state }',
    'job',
    (jobId) => ({
      jobId,
    }),
  ),
  'Mutation.prioritizeJob.input.jobId': mutation(
    'notification',
    'prioritizeJob',
    'PrioritizeJobInput',
    'job { state priority }',
    'job',
    (jobId) => ({ jobId, priority: 'HIGH' }),
  ),
  'Mutation.markNotifications.input.ids': mutation(
    'notification',
    'markNotifications',
    'MarkNotificationsInput',
    'notifications { title } unread',
    'ntf',
    (id) => ({ ids: [id], as: 'READ' }),
  ),
  'Subscription.jobEvents.jobIds': {
    kind: 'job',
    subgraph: 'notification',
    document: 'subscription Follow($ids: [ID!]) { jobEvents(jobIds: $ids) { __typename } }',
    variables: (id) => ({ ids: [id] }),
  },
};
