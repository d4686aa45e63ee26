import { jobEnd } from '../testing/job-end';
import { newId } from '../ids';
import type { Platform } from '../platform';
import { onEachBackend } from '../testing/backends';
import { claim } from '../testing/claim';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { addStepsJob, cleanUpsOf, createStepsTables, openGate, stepsHandler, stepsOf } from '../testing/steps-job';
import { waitFor } from '../testing/wait';
import { startWorkerStack, type WorkerStack } from '../testing/worker-stack';
import { jobsTopic, type Job, type JobSnapshot } from './job';
import { requestCancel, requestRetry } from './job-commands';
import { JobStore } from './job-store';

let test_: TestPlatform;
let platform: Platform;
let worker: WorkerStack | undefined;
let ownerId: string;

beforeEach(async () => {
  test_ = await openTestPlatform();
  platform = test_.platform;
  ownerId = newId('usr');
  await createStepsTables(platform);
});
afterEach(async () => {
  await worker?.stop();
  worker = undefined;
  await test_[Symbol.asyncDispose]();
});

const add = (steps: string[], ...needs: Job[]): Promise<Job> =>
  addStepsJob(platform, ownerId, steps, { needs: needs.map(({ id }) => id), maxAttempts: 2 });
const read = ({ id }: Job): Promise<Job> => platform.database.prisma.job.findUniqueOrThrow({ where: { id } });
const states = async (...jobs: Job[]): Promise<string[]> => {
  const rows = await Promise.all(jobs.map(read));
  return rows.map(({ state, errorCode }) => (errorCode ? `${state} ${errorCode}` : state));
};
const finished = ({ id }: Job): Promise<Job> => jobEnd(platform, id);
const cancel = ({ id }: Job) =>
  platform.database.prisma.$transaction((tx) => requestCancel(tx, platform.events, { jobId: id, ownerId }));
const retry = ({ id }: Job) =>
  platform.database.prisma.$transaction((tx) => requestRetry(tx, platform.events, { jobId: id, ownerId }));

/** `state` of everything announced about the job, without repetitions. */
async function announced({ id }: Job): Promise<string[]> {
  const rows = await platform.database.prisma.event.findMany({
    where: { topic: jobsTopic(ownerId).name },
    orderBy: { seq: 'asc' },
  });
  const all = rows.map((row) => row.payload as unknown as JobSnapshot).filter(({ jobId }) => jobId === id);
  return all.map(({ state }) => state).filter((state, index, every) => state !== every[index - 1]);
}

onEachBackend((backend) => {
  const start = (): WorkerStack => (worker = startWorkerStack(platform, [stepsHandler(platform)], backend()));

  test('a job starts when all that it needs have succeeded, and not before', async () => {
    start();
    const [one, other] = [await add(['gate']), await add(['gate'])];
    const job = await add(['one'], one, other);
    const last = await add(['one'], job);
    await openGate(platform, one.id);
    await finished(one);
    expect(await states(job, last)).toEqual(['WAITING', 'WAITING']);
    await openGate(platform, other.id);
    await finished(last);
    expect(await states(job, last)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await announced(job)).toEqual(['WAITING', 'QUEUED', 'RUNNING', 'SUCCEEDED']);
    expect(await announced(last)).toEqual(['WAITING', 'QUEUED', 'RUNNING', 'SUCCEEDED']);
  });

  test('jobs that need one that fails fail with it, and wait for it again when it is retried', async () => {
    start();
    const parent = await add(['refuse']);
    const child = await add(['one'], parent);
    const grandchild = await add(['one'], child);
    await finished(grandchild);
    expect(await states(parent, child, grandchild)).toEqual([
      'FAILED UNSUPPORTED',
      'FAILED DEPENDENCY_FAILED',
      'FAILED DEPENDENCY_FAILED',
    ]);
    expect(await cleanUpsOf(platform)).toEqual([
      'abandoned FAILED UNSUPPORTED',
      'abandoned FAILED DEPENDENCY_FAILED',
      'abandoned FAILED DEPENDENCY_FAILED',
    ]);
    await platform.database.prisma.job.update({ where: { id: parent.id }, data: { payload: { steps: ['mended'] } } });
    await retry(parent);
    await finished(grandchild);
    expect(await states(parent, child, grandchild)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(await stepsOf(platform, parent.id)).toEqual(['2 mended', '2 result']);
  });

  test('jobs that need one that is canceled are canceled with it', async () => {
    start();
    const parent = await add(['gate']);
    const child = await add(['one'], parent);
    await waitFor('the parent to run', async () => (await read(parent)).stage === 'gate');
    await cancel(parent);
    await finished(child);
    expect(await states(parent, child)).toEqual(['CANCELED', 'CANCELED DEPENDENCY_FAILED']);
    expect(await cleanUpsOf(platform)).toEqual(['abandoned CANCELED', 'abandoned CANCELED']);
    expect(await announced(child)).toEqual(['WAITING', 'CANCELED']);
  });

  test('a job that waits for another is canceled alone', async () => {
    start();
    const parent = await add(['gate']);
    const child = await add(['one'], parent);
    const grandchild = await add(['one'], child);
    await cancel(child);
    await finished(grandchild);
    expect(await states(child, grandchild)).toEqual(['CANCELED', 'CANCELED DEPENDENCY_FAILED']);
    await openGate(platform, parent.id);
    expect(await finished(parent)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await states(child)).toEqual(['CANCELED']);
  });
});

describe('without a worker', () => {
  const cleanUp = async (): Promise<void> => undefined;
  const store = (): JobStore => new JobStore(platform.database, platform.events);
  const run = (job: Job, attempt = 1) => claim(platform, store(), job.id, { attempt });
  const succeed = async (job: Job): Promise<void> => {
    await run(job);
    await store().succeed(job.id, 1, cleanUp);
  };
  const fail = async (job: Job, attempt = 1): Promise<void> => {
    await run(job, attempt);
    const failure = { code: 'UNSUPPORTED', message: 'no', retryable: false };
    await store().giveUp(job.id, attempt, failure, cleanUp);
  };

  test('a job whose needs have all succeeded is queued at once, also when one is named twice', async () => {
    const parent = await add([]);
    await succeed(parent);
    expect(await states(await add([], parent, parent))).toEqual(['QUEUED']);
  });

  test.each([
    ['that failed', 'DEPENDENCY_FAILED', fail],
    ['of somebody else', 'NOT_FOUND', (job: Job) => give(job, newId('usr'))],
  ])('a need %s is refused, and nothing is written', async (_what, code, prepare) => {
    const parent = await add([]);
    await prepare(parent);
    await expect(add([], parent)).rejects.toMatchObject({ name: 'NeedError', code });
    expect(await platform.database.prisma.job.count()).toBe(1);
  });
  const give = ({ id }: Job, to: string): Promise<unknown> =>
    platform.database.prisma.job.update({ where: { id }, data: { ownerId: to } });

  test('two needs that succeed at the same moment release the job once', async () => {
    for (let round = 0; round < 5; round++) {
      const [one, other] = [await add([]), await add([])];
      const job = await add([], one, other);
      await Promise.all([run(one), run(other)]);
      await Promise.all([one, other].map(({ id }) => store().succeed(id, 1, cleanUp)));
      expect(await states(job)).toEqual(['QUEUED']);
      expect(await announced(job)).toEqual(['WAITING', 'QUEUED']);
    }
  });

  test('a job that is written while its need ends never waits for ever', async () => {
    for (let round = 0; round < 5; round++) {
      const parent = await add([]);
      await run(parent);
      const [job] = await Promise.all([add([], parent), store().succeed(parent.id, 1, cleanUp)]);
      expect(await states(job)).toEqual(['QUEUED']);
    }
  });

  test('a retried job has as many attempts as a new one, and an error no more', async () => {
    const job = await add([]);
    await fail(job);
    expect(await retry(job)).toMatchObject({ state: 'QUEUED', attempt: 1, maxAttempts: 3, progress: 0 });
    expect(await states(job)).toEqual(['QUEUED']);
    await fail(job, 2);
    expect(await retry(job)).toMatchObject({ state: 'QUEUED', attempt: 2, maxAttempts: 4 });
    expect(await read(job)).toMatchObject({ finishedAt: null, errorCode: null, errorMessage: null });
  });

  test('what was canceled by its owner is not started again by the retry of what it needs', async () => {
    const parent = await add([]);
    const [canceled, failed] = [await add([], parent), await add([], parent)];
    await cancel(canceled);
    await store().cancelWaiting(canceled.id, cleanUp);
    await fail(parent);
    await retry(parent);
    expect(await states(canceled, failed)).toEqual(['CANCELED', 'WAITING']);
  });

  test('of two failed needs both have to be retried, in either order', async () => {
    const [one, other] = [await add([]), await add([])];
    const job = await add([], one, other);
    await fail(one);
    await fail(other);
    await expect(retry(job)).rejects.toThrow(/retry that one first/);
    await retry(one);
    expect(await states(job)).toEqual(['FAILED DEPENDENCY_FAILED']);
    await retry(other);
    expect(await states(job)).toEqual(['WAITING']);
  });

  test.each([['QUEUED'], ['RUNNING'], ['SUCCEEDED']])('a job that is %s cannot be retried', async (state) => {
    const job = await add([]);
    if (state === 'RUNNING') await run(job);
    if (state === 'SUCCEEDED') await succeed(job);
    await expect(retry(job)).rejects.toThrow(`this one is ${state}`);
  });
});
