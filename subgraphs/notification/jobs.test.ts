import type { Viewer } from '../../platform/identity/viewer';
import { newId } from '../../platform/ids';
import type { Platform } from '../../platform/platform';
import type { Subgraph } from '../../platform/subgraph/subgraph';
import { ask, askFor, aViewer } from '../../platform/testing/calls';
import { leaveCredits, ledgerFaults } from '../../platform/testing/ledger';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { createNotificationSubgraph } from './subgraph';
import { aJob, aWorker } from './testing';

let opened: TestPlatform;
let platform: Platform;
let subgraph: Subgraph;
let worker: ReturnType<typeof aWorker>;
beforeAll(async () => {
  opened = await openTestPlatform();
  platform = opened.platform;
  subgraph = createNotificationSubgraph(platform);
  worker = aWorker(platform);
});
afterAll(() => opened[Symbol.asyncDispose]());

interface JobList {
  nodes: { jobId: string; state: string }[];
  edges: { cursor: string }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

async function list(viewer: Viewer, variables: Record<string, unknown> = {}): Promise<JobList> {
  const query = `query ($first: Int, $after: String, $filter: JobFilter) {
    jobs(first: $first, after: $after, filter: $filter) {
      nodes { jobId state } edges { cursor } pageInfo { hasNextPage endCursor }
    }
  }`;
  return (await askFor<{ jobs: JobList }>(subgraph, viewer, query, variables)).jobs;
}

async function cancel(viewer: Viewer | null, jobId: string) {
  const query = `mutation ($jobId: ID!) {
    cancelJob(input: { jobId: $jobId }) { job { jobId state } errors { code message path } }
  }`;
  return (await ask(subgraph, viewer, query, { jobId })).data?.cancelJob;
}

describe('jobs', () => {
  test('lists the jobs of the viewer only, newest first, page by page', async () => {
    const viewer = aViewer();
    const jobs = [];
    for (let count = 0; count < 5; count++) jobs.unshift(await aJob({ platform, by: viewer }));
    await aJob({ platform, by: aViewer() });

    const seen: string[] = [];
    let page = await list(viewer, { first: 2 });
    for (;;) {
      seen.push(...page.nodes.map((node) => node.jobId));
      if (!page.pageInfo.hasNextPage) break;
      page = await list(viewer, { first: 2, after: page.pageInfo.endCursor });
    }
    expect(seen).toEqual(jobs.map((job) => job.id));
    expect(page.edges).toHaveLength(1);
  });

  test('lists what the filter asks for', async () => {
    const viewer = aViewer();
    const [queued, failed] = [await aJob({ platform, by: viewer }), await aJob({ platform, by: viewer })];
    await worker.start(failed);
    await worker.fail(failed, 'Nobody speaks.');
    const ids = async (filter: object) => (await list(viewer, { filter })).nodes.map((node) => node.jobId);
    expect(await ids({ states: ['FAILED', 'CANCELED'] })).toEqual([failed.id]);
    expect(await ids({ states: [] })).toEqual([]);
    expect(await ids({ kinds: ['TRANSCRIBE'], subjectId: queued.subjectId })).toEqual([queued.id]);
    expect(await ids({ subjectId: newId('med') })).toEqual([]);
    expect(await ids({ subjectId: 'med_\u0000' })).toEqual([]);
    expect(await ids({ kinds: null, states: null, subjectId: null })).toEqual([failed.id, queued.id]);
  });

  test('shows a job without a further lookup, and where its fields in other subgraphs are', async () => {
    const viewer = aViewer();
    const job = await aJob({ platform, by: viewer });
    await worker.start(job);
    await worker.fail(job, 'Nobody speaks.');
    const query = `{ jobs { nodes {
      at cursor jobId kind state stage progress attempt maxAttempts priority expectedAt error { code message retryable } subjectId
      subject { __typename id } job { ... on MediaJob { __typename id } }
    } } }`;
    const { jobs } = await askFor<{ jobs: JobList }>(subgraph, viewer, query);
    expect(jobs.nodes).toEqual([
      {
        at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        cursor: expect.any(String) as string,
        jobId: job.id,
        kind: 'TRANSCRIBE',
        state: 'FAILED',
        stage: null,
        progress: 0,
        attempt: 1,
        maxAttempts: 3,
        priority: 'NORMAL',
        expectedAt: null,
        error: { code: 'NO_SPEECH', message: 'Nobody speaks.', retryable: false },
        subjectId: job.subjectId,
        subject: { __typename: 'Media', id: job.subjectId },
        job: { __typename: 'MediaJob', id: job.id },
      },
    ]);
  });

  test('refuses anonymous callers and pages that are too large', async () => {
    const codes = async (viewer: Viewer | null, query: string) =>
      (await ask(subgraph, viewer, query)).errors?.map((error) => error.extensions?.code);
    expect(await codes(null, '{ jobs { nodes { jobId } } }')).toEqual(['UNAUTHENTICATED']);
    expect(await codes(aViewer(), '{ jobs(first: 101) { nodes { jobId } } }')).toEqual(['BAD_USER_INPUT']);
  });
});

describe('cancelJob', () => {
  test('asks a waiting or running job to stop, and a second time changes nothing', async () => {
    const viewer = aViewer();
    const job = await aJob({ platform, by: viewer });
    const answer = { job: { jobId: job.id, state: 'CANCELING' }, errors: [] };
    expect(await cancel(viewer, job.id)).toEqual(answer);
    expect(await cancel(viewer, job.id)).toEqual(answer);
    await worker.endCanceled(job);
    expect(await cancel(viewer, job.id)).toEqual({ job: { jobId: job.id, state: 'CANCELED' }, errors: [] });
  });

  test('answers a job that has ended as it is', async () => {
    const viewer = aViewer();
    const job = await aJob({ platform, by: viewer });
    await worker.start(job);
    await worker.succeed(job);
    expect(await cancel(viewer, job.id)).toEqual({ job: { jobId: job.id, state: 'SUCCEEDED' }, errors: [] });
  });

  test('refuses an ID that is unknown, malformed or of somebody else in the same way, and stops nothing', async () => {
    const owner = aViewer();
    const job = await aJob({ platform, by: owner });
    const refused = {
      job: null,
      errors: [{ code: 'NOT_FOUND', message: 'You have no job with this ID.', path: ['input', 'jobId'] }],
    };
    for (const id of [job.id, newId('job'), 'job_\u0000']) expect(await cancel(aViewer(), id)).toEqual(refused);
    expect((await list(owner)).nodes).toEqual([{ jobId: job.id, state: 'QUEUED' }]);
  });
});

describe('retryJob', () => {
  const retry = async (viewer: Viewer | null, jobId: string) => {
    const query = `mutation ($jobId: ID!) {
      retryJob(input: { jobId: $jobId }) { job { jobId state attempt maxAttempts error { code } } errors { code message path } }
    }`;
    return (await ask(subgraph, viewer, query, { jobId })).data?.retryJob;
  };

  test('starts a job that failed for good again, which the list of failed jobs has shown', async () => {
    const viewer = aViewer();
    const job = await aJob({ platform, by: viewer });
    await worker.start(job);
    await worker.fail(job, 'Nobody speaks.');
    expect((await list(viewer, { filter: { states: ['FAILED'] } })).nodes).toEqual([
      { jobId: job.id, state: 'FAILED' },
    ]);
    const started = { jobId: job.id, state: 'QUEUED', attempt: 1, maxAttempts: 4, error: null };
    expect(await retry(viewer, job.id)).toEqual({ job: started, errors: [] });
    expect((await list(viewer, { filter: { states: ['FAILED'] } })).nodes).toEqual([]);
  });

  test('lets the jobs that need it wait again', async () => {
    const viewer = aViewer();
    const parent = await aJob({ platform, by: viewer });
    const child = await aJob({ platform, by: viewer, needs: [parent.id] });
    await worker.start(parent);
    await worker.fail(parent, 'Nobody speaks.');
    const refused = await retry(viewer, child.id);
    expect(refused).toMatchObject({ job: null, errors: [{ code: 'INVALID_STATE' }] });
    await retry(viewer, parent.id);
    expect((await list(viewer, { filter: { states: ['WAITING'] } })).nodes).toEqual([
      { jobId: child.id, state: 'WAITING' },
    ]);
  });

  test('holds again what it costs, and refuses when the credits do not suffice', async () => {
    const viewer = aViewer();
    const job = await aJob({ platform, by: viewer });
    await worker.start(job);
    await worker.fail(job, 'Nobody speaks.');
    await leaveCredits(platform, viewer.userId, 0);
    const message = 'This takes 1 credits, and 0 are left: 1 are missing.';
    expect(await retry(viewer, job.id)).toEqual({
      job: null,
      errors: [{ code: 'INSUFFICIENT_CREDITS', message, path: null }],
    });
    await leaveCredits(platform, viewer.userId, 1);
    expect(await retry(viewer, job.id)).toMatchObject({ job: { state: 'QUEUED' }, errors: [] });
    expect(
      await platform.database.prisma.creditAccount.findUnique({ where: { ownerId: viewer.userId } }),
    ).toMatchObject({
      ...{ balance: 0, held: 1 },
    });
    expect(await ledgerFaults(platform)).toEqual([]);
  });

  test('refuses a job that has not ended, and one that is not there', async () => {
    const viewer = aViewer();
    const job = await aJob({ platform, by: viewer });
    expect(await retry(viewer, job.id)).toEqual({
      job: null,
      errors: [
        {
          code: 'INVALID_STATE',
          message: 'Only a failed or canceled job can be retried; this one is QUEUED.',
          path: ['input', 'jobId'],
        },
      ],
    });
    for (const id of [newId('job'), 'job_\u0000'])
      expect(await retry(viewer, id)).toMatchObject({ job: null, errors: [{ code: 'NOT_FOUND' }] });
    expect(await retry(aViewer(), job.id)).toMatchObject({ job: null, errors: [{ code: 'NOT_FOUND' }] });
  });
});

describe('prioritizeJob', () => {
  const prioritize = async (viewer: Viewer | null, jobId: string) => {
    const query = `mutation ($jobId: ID!) {
      prioritizeJob(input: { jobId: $jobId, priority: HIGH }) { job { jobId priority } errors { code message path } }
    }`;
    return (await ask(subgraph, viewer, query, { jobId })).data?.prioritizeJob;
  };

  test('moves a job that waits, whatever it waits for', async () => {
    const viewer = aViewer();
    const queued = await aJob({ platform, by: viewer });
    const waiting = await aJob({ platform, by: viewer, needs: [queued.id] });
    for (const { id } of [queued, waiting])
      expect(await prioritize(viewer, id)).toEqual({ job: { jobId: id, priority: 'HIGH' }, errors: [] });
  });

  test('refuses a job that runs, and somebody else’s', async () => {
    const viewer = aViewer();
    const job = await aJob({ platform, by: viewer });
    expect(await prioritize(aViewer(), job.id)).toMatchObject({ job: null, errors: [{ code: 'NOT_FOUND' }] });
    await worker.start(job);
    expect(await prioritize(viewer, job.id)).toEqual({
      job: null,
      errors: [
        {
          code: 'INVALID_STATE',
          message: 'Only a job that waits can be moved; this one is RUNNING.',
          path: ['input', 'jobId'],
        },
      ],
    });
  });
});
