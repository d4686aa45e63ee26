import { newId } from '../ids';
import type { Platform } from '../platform';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { pause } from '../pause';
import { addStepsJob, createStepsTables, stepsHandler, type StepsPayload } from '../testing/steps-job';
import { waitFor } from '../testing/wait';
import { startWorkerStack } from '../testing/worker-stack';
import { PRIORITIES, type JobState } from './job';
import { requestCancel } from './job-commands';
import { queuePosition, speedOf } from './job-forecast';
import type { JobHandler } from './job-handler';

let test_: TestPlatform;
let platform: Platform;
beforeEach(async () => {
  test_ = await openTestPlatform();
  platform = test_.platform;
});
afterEach(() => test_[Symbol.asyncDispose]());

/** A job that took `ms`, the later the higher its `age` is. */
async function aPastJob(details: { size: number | null; ms: number; age?: number; state?: JobState }): Promise<void> {
  const { size, ms, age = 0, state = 'SUCCEEDED' } = details;
  const finishedAt = new Date(1_700_000_000_000 + age * 60_000);
  await platform.database.prisma.job.create({
    data: {
      ...{ id: newId('job'), kind: 'TRANSCRIBE', ownerId: 'x', subjectId: 'x', payload: {}, maxAttempts: 1 },
      ...{ state, size, finishedAt, attemptStartedAt: new Date(finishedAt.getTime() - ms) },
    },
  });
}

describe('the speed of a kind', () => {
  const speed = () => speedOf(platform.database.prisma, 'TRANSCRIBE');

  test('is the median of what its jobs have shown', async () => {
    for (const ms of [100, 200, 1_000]) await aPastJob({ size: 2_000, ms });
    expect(await speed()).toBeCloseTo(10);
  });

  test('comes from the last twenty that succeeded and knew their size', async () => {
    for (let age = 0; age < 30; age++) await aPastJob({ size: 1_000, ms: age < 10 ? 1_000 : 500, age });
    await aPastJob({ size: null, ms: 1, age: 99 });
    await aPastJob({ size: 1_000, ms: 1, age: 99, state: 'FAILED' });
    expect(await speed()).toBeCloseTo(2);
  });

  test('is not known without any', async () => {
    expect(await speed()).toBeNull();
  });
});

test('a job that has just begun tells when it will end, from the speed of earlier ones', async () => {
  await createStepsTables(platform);
  await aPastJob({ size: 1_000, ms: 3_600_000 });
  await platform.database.prisma.job.updateMany({ data: { kind: 'STEPS' } });
  await using _worker = startWorkerStack(platform, [stepsHandler(platform)]);
  const { id } = await addStepsJob(platform, newId('usr'), ['gate'], { size: 2_000 });
  const job = await waitFor('the job to tell', async () => {
    const row = await platform.database.prisma.job.findUniqueOrThrow({ where: { id } });
    return row.expectedAt && row;
  });
  const inMs = job.expectedAt!.getTime() - job.attemptStartedAt!.getTime();
  expect(Math.round(inMs / 600_000)).toBe(12); // two hours, whatever it took to get started
});

test('what earlier attempts have done tells nothing about the speed of this one', async () => {
  await createStepsTables(platform);
  const { definition } = stepsHandler(platform);
  const handler: JobHandler<StepsPayload> = {
    definition,
    async run(_payload, context) {
      context.progress(0.9, 'goes on');
      await pause(60_000, context.signal);
      throw context.signal.reason;
    },
  };
  await using _worker = startWorkerStack(platform, [handler]);
  const { id } = await addStepsJob(platform, newId('usr'), []);
  const job = await waitFor('the job to tell', async () => {
    const row = await platform.database.prisma.job.findUniqueOrThrow({ where: { id } });
    return row.stage === null ? null : row;
  });
  expect(job).toMatchObject({ progress: 0.9, expectedAt: null });
  await platform.database.prisma.$transaction((tx) =>
    requestCancel(tx, platform.events, { jobId: id, ownerId: job.ownerId }),
  );
});

describe('the position in the queue', () => {
  const [own, first, second] = [newId('usr'), newId('usr'), newId('usr')];
  const add = async (ownerId: string, count: number, priority: number = PRIORITIES.NORMAL): Promise<void> => {
    for (let index = 0; index < count; index++) await addStepsJob(platform, ownerId, [], { priority });
  };
  const position = (priority: number = PRIORITIES.NORMAL) =>
    queuePosition(platform.database.prisma, { ownerId: own, priority });
  const handOver = () => platform.database.prisma.$queryRaw`select id from platform.take_due_jobs(4, 100, 1000)`;

  test('is zero when nothing waits', async () => {
    expect(await position()).toBe(0);
  });

  test('counts the own jobs of the same or higher priority', async () => {
    await add(own, 2, PRIORITIES.LOW);
    await add(own, 3);
    await add(own, 1, PRIORITIES.HIGH);
    expect([await position(PRIORITIES.HIGH), await position()]).toEqual([1, 4]);
    expect(await position(PRIORITIES.LOW)).toBe(6);
  });

  test('counts of every other owner no more than come to their turn', async () => {
    await add(first, 50);
    await add(second, 1);
    await handOver();
    expect(await position()).toBe(4 + 1);
    await add(own, 10);
    expect(await position()).toBe(10 + 14 + 1);
    expect(await position(PRIORITIES.LOW)).toBe(10 + 50 + 1);
  });
});
