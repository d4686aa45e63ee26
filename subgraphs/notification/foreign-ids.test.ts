import { newId, type IdPrefix } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import { readRepositoryFile } from '../../platform/root';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { aViewer, ask, firstOf } from '../../platform/testing/calls';
import { idPlaces } from '../../platform/testing/id-places';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { createNotificationSubgraph } from './subgraph';
import { aJob } from './testing';

/** How a place is asked with an id. */
interface Rule {
  kind: Extract<IdPrefix, 'job' | 'ntf' | 'med'>;
  query: string;
  variables: (id: string) => Record<string, unknown>;
}

const command = (field: string, input: string): string =>
  `mutation Go($input: ${input}!) { ${field}(input: $input) { job { state priority } errors { code message path } } }`;

const RULES: Readonly<Record<string, Rule>> = {
  '_entities.Notification': {
    kind: 'ntf',
    query: 'query Read($of: [_Any!]!) { _entities(representations: $of) { ... on Notification { id title } } }',
    variables: (id) => ({ of: [{ __typename: 'Notification', id }] }),
  },
  'Query.jobs.filter.subjectId': {
    kind: 'med',
    query: 'query Read($filter: JobFilter) { jobs(filter: $filter) { nodes { kind } pageInfo { endCursor } } }',
    variables: (subjectId) => ({ filter: { subjectId } }),
  },
  'Mutation.cancelJob.input.jobId': {
    kind: 'job',
    query: command('cancelJob', 'JobIdInput'),
    variables: (jobId) => ({ input: { jobId } }),
  },
  'Mutation.retryJob.input.jobId': {
    kind: 'job',
    query: command('retryJob', 'JobIdInput'),
    variables: (jobId) => ({ input: { jobId } }),
  },
  'Mutation.prioritizeJob.input.jobId': {
    kind: 'job',
    query: command('prioritizeJob', 'PrioritizeJobInput'),
    variables: (jobId) => ({ input: { jobId, priority: 'HIGH' } }),
  },
  'Mutation.markNotifications.input.ids': {
    kind: 'ntf',
    query: `mutation Go($input: MarkNotificationsInput!) { markNotifications(input: $input) {
      notifications { title } unread errors { code message path } } }`,
    variables: (id) => ({ input: { ids: [id], as: 'READ' } }),
  },
  'Subscription.jobEvents.jobIds': {
    kind: 'job',
    query: 'subscription Follow($ids: [ID!]) { jobEvents(jobIds: $ids) { __typename } }',
    variables: (id) => ({ ids: [id] }),
  },
};

const [owner, stranger] = [aViewer(), aViewer()];
let opened: TestPlatform;
let subgraph: Subgraph;
let theirs: Record<Rule['kind'], string>;
beforeAll(async () => {
  opened = await openTestPlatform();
  subgraph = createNotificationSubgraph(opened.platform);
});
afterAll(() => opened[Symbol.asyncDispose]());
beforeEach(async () => {
  const { platform } = opened;
  const [med, ntf] = [newId('med'), newId('ntf')];
  const { id: job } = await aJob({ platform, by: owner, about: med });
  const texts = { topic: 'transcript.ready', title: 'Ready', body: 'Read it.' };
  await platform.database.prisma.notification.create({
    data: { id: ntf, ownerId: owner.userId, subjectId: med, jobId: job, ...texts },
  });
  theirs = { med, ntf, job };
});

/** What is answered to an id, without the id itself. */
async function answer({ query, variables }: Rule, viewer: Viewer | null, id: string): Promise<string> {
  const go = query.startsWith('subscription') ? firstOf : ask;
  return JSON.stringify(await go(subgraph, viewer, query, variables(id))).replaceAll(id, 'ID');
}

/** What a caller could have changed. */
async function everything(): Promise<unknown> {
  const { prisma } = opened.platform.database;
  return Promise.all([
    prisma.job.findMany({ orderBy: { id: 'asc' } }),
    prisma.notification.findMany({ orderBy: { id: 'asc' } }),
  ]);
}

test('every place of the schema that takes an id has a rule here', () => {
  expect(idPlaces(readRepositoryFile('subgraphs/notification/schema.graphql'))).toEqual(Object.keys(RULES).sort());
});

test.each(Object.entries(RULES))(
  '%s: somebody else’s id is answered as one that there is not',
  async (_place, rule) => {
    const before = await everything();
    const unknown = newId(rule.kind);
    for (const viewer of [stranger, null]) {
      expect(await answer(rule, viewer, theirs[rule.kind])).toBe(await answer(rule, viewer, unknown));
    }
    expect(await everything()).toEqual(before);
  },
);

test.each(Object.entries(RULES))('%s: the owner’s id is answered otherwise', async (_place, rule) => {
  const unknown = await answer(rule, owner, newId(rule.kind));
  expect(await answer(rule, owner, theirs[rule.kind])).not.toBe(unknown);
});
