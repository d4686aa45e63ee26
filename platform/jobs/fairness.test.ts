import { newId } from '../ids';
import type { Platform } from '../platform';
import { onEachBackend } from '../testing/backends';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { addStepsJob, createStepsTables, openGate, stepsHandler } from '../testing/steps-job';
import { waitFor } from '../testing/wait';
import { startWorkerStack, type WorkerStack } from '../testing/worker-stack';
import { PRIORITIES, type Job, type JobPriority } from './job';
import { changePriority, requestCancel } from './job-commands';

let test_: TestPlatform;
let platform: Platform;
const workers: WorkerStack[] = [];

beforeEach(async () => {
  test_ = await openTestPlatform();
  platform = test_.platform;
  await createStepsTables(platform);
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  await test_[Symbol.asyncDispose]();
});

const add = (ownerId: string, steps: string[] = ['one'], priority: JobPriority = 'NORMAL'): Promise<Job> =>
  addStepsJob(platform, ownerId, steps, { priority: PRIORITIES[priority] });
const read = ({ id }: Job): Promise<Job> => platform.database.prisma.job.findUniqueOrThrow({ where: { id } });
const prioritize = (job: Job, priority: JobPriority): Promise<Job | null> =>
  platform.database.prisma.$transaction((tx) =>
    changePriority(tx, platform.events, { jobId: job.id, ownerId: job.ownerId, priority }),
  );
const jobsIn = (state: Job['state'], ownerId?: string): Promise<Job[]> =>
  platform.database.prisma.job.findMany({ where: { state, ...(ownerId && { ownerId }) } });
const atGate = (job: Job): Promise<unknown> =>
  waitFor('a job to be at the gate', async () => (await read(job)).stage === 'gate');
const allEnded = (): Promise<unknown> =>
  waitFor('all jobs to end', async () => {
    const [open] = await platform.database.prisma.job.findMany({ where: { state: { not: 'SUCCEEDED' } }, take: 1 });
    return !open;
  });
/** How many of an owner's jobs are with the queue. */
const handed = (ownerId: string): Promise<number> =>
  platform.database.prisma.job.count({ where: { ownerId, handedAt: { not: null }, state: { not: 'SUCCEEDED' } } });
/** Those of the jobs that have started, in that order. */
async function started(...jobs: Job[]): Promise<Job[]> {
  const rows = await platform.database.prisma.job.findMany({
    where: { id: { in: jobs.map(({ id }) => id) }, startedAt: { not: null } },
    orderBy: { startedAt: 'asc' },
  });
  return rows.map(({ id }) => jobs.find((job) => job.id === id)!);
}

onEachBackend((backend) => {
  const start = (options: { concurrency: number; maxConcurrentJobs?: number }): void =>
    void workers.push(startWorkerStack(platform, [stepsHandler(platform)], { ...options, ...backend() }));

  test('no more jobs of one owner run at once than may, however many workers and dispatchers there are', async () => {
    const ownerId = newId('usr');
    for (let count = 0; count < 3; count++) start({ concurrency: 3, maxConcurrentJobs: 2 });
    const jobs = await Promise.all(Array.from({ length: 8 }, () => add(ownerId, ['gate'])));
    const other = await add(newId('usr'));
    // The other owner's job has passed through all of it, so whatever would be handed over has been.
    await waitFor('the other owner’s job to end', async () => (await read(other)).state === 'SUCCEEDED');
    for (let left = jobs.length; left > 0; left--) {
      const running = await waitFor('as many to run as may', async () => {
        const rows = await jobsIn('RUNNING', ownerId);
        return rows.length === Math.min(2, left) ? rows : null;
      });
      expect(await handed(ownerId)).toBe(Math.min(2, left));
      await openGate(platform, running[0]!.id);
      await waitFor('it to end', async () => (await jobsIn('SUCCEEDED', ownerId)).length === jobs.length - left + 1);
    }
  });

  test('many jobs of one owner do not stand before another’s, not even urgent ones', async () => {
    const [crowd, other] = [newId('usr'), newId('usr')];
    start({ concurrency: 1 });
    const first = await add(crowd, ['gate']);
    await atGate(first);
    const many = await Promise.all(Array.from({ length: 20 }, () => add(crowd, ['one'], 'HIGH')));
    await waitFor('the queue to hold what it may', async () => (await handed(crowd)) === 4);
    const job = await add(other);
    await waitFor('the queue to hold the other’s', async () => (await handed(other)) === 1);
    await openGate(platform, first.id);
    await allEnded();
    const order = await started(...many, job);
    expect(order.indexOf(job)).toBeLessThanOrEqual(3);
  });

  test('an urgent job starts before all others of its owner, even when their limit is reached', async () => {
    const ownerId = newId('usr');
    start({ concurrency: 1 });
    const first = await add(ownerId, ['gate']);
    await atGate(first);
    const usual: Job[] = [];
    for (let count = 0; count < 5; count++) usual.push(await add(ownerId));
    await waitFor('the limit to be reached', async () => (await handed(ownerId)) === 4);
    const urgent = await add(ownerId, ['one'], 'HIGH');
    const raised = usual.pop()!;
    await prioritize(raised, 'HIGH');
    await openGate(platform, first.id);
    await allEnded();
    // The older of the two urgent ones first, then the others in the order in which they came.
    expect(await started(...usual, raised, urgent)).toEqual([raised, urgent, ...usual]);
  });

  test('a job of low priority lets all accounts pass, also when it was lowered in the queue', async () => {
    start({ concurrency: 1 });
    const first = await add(newId('usr'), ['gate']);
    await atGate(first);
    const lowered = await add(newId('usr'));
    const low = await add(newId('usr'), ['one'], 'LOW');
    const raised = await add(newId('usr'), ['one'], 'LOW');
    const usual = await add(newId('usr'));
    const inQueue = () =>
      waitFor('the queue to hold them', async () => !(await platform.database.prisma.jobOutbox.count()));
    await inQueue();
    await prioritize(raised, 'NORMAL');
    await inQueue();
    await prioritize(lowered, 'LOW');
    await inQueue();
    await openGate(platform, first.id);
    await allEnded();
    expect(await started(lowered, low, raised, usual)).toEqual([usual, raised, low, lowered]);
  });

  test('a place that becomes free by a cancel or a failure is taken by the next', async () => {
    const ownerId = newId('usr');
    start({ concurrency: 2, maxConcurrentJobs: 1 });
    const [canceled, failed] = [await add(ownerId, ['gate']), await add(ownerId, ['refuse'])];
    const last = await add(ownerId);
    await atGate(canceled);
    await platform.database.prisma.$transaction((tx) =>
      requestCancel(tx, platform.events, { jobId: canceled.id, ownerId }),
    );
    await waitFor('the last to end', async () => (await read(last)).state === 'SUCCEEDED');
    expect(await started(canceled, failed, last)).toEqual([canceled, failed, last]);
  });

  test('what a dispatcher took before it died is handed over by another', async () => {
    const job = await add(newId('usr'));
    await platform.database.prisma.$queryRaw`select id from platform.take_due_jobs(4, 100, 1000)`;
    expect(await handed(job.ownerId)).toBe(1);
    start({ concurrency: 1 });
    await waitFor('the job to end', async () => (await read(job)).state === 'SUCCEEDED');
  });
});

test('whoever holds a job’s row does not keep the others from being handed over', async () => {
  const [locked, free] = [await add(newId('usr')), await add(newId('usr'))];
  await platform.database.prisma.$transaction(async (tx) => {
    await tx.$queryRaw`select 1 from platform.job where id = ${locked.id} for update`;
    const taken = await platform.database.prisma.$queryRaw`select id from platform.take_due_jobs(4, 100, 1000)`;
    expect(taken).toEqual([{ id: free.id }]);
  });
});

test('a command that comes too late to move a job is refused', async () => {
  const job = await add(newId('usr'));
  await platform.database.prisma.job.update({ where: { id: job.id }, data: { state: 'RUNNING' } });
  await expect(prioritize(job, 'HIGH')).rejects.toThrow('this one is RUNNING');
  expect(await prioritize({ ...job, ownerId: newId('usr') }, 'HIGH')).toBeNull();
});
