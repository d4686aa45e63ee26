import { choosePlan } from '../credits/plans';
import { newId } from '../ids';
import type { Platform } from '../platform';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { addStepsJob, createStepsTables, openGate, stepsHandler } from '../testing/steps-job';
import { waitFor } from '../testing/wait';
import { startWorkerStack, type WorkerStack } from '../testing/worker-stack';

const PLANS = [
  { id: 'free', name: 'Free', monthlyCredits: 10, maxConcurrentJobs: 1 },
  { id: 'team', name: 'Team', monthlyCredits: 10, maxConcurrentJobs: 2 },
  { id: 'business', name: 'Business', monthlyCredits: 10, maxConcurrentJobs: 8 },
];

let test_: TestPlatform;
let platform: Platform;
let workers: WorkerStack;
beforeEach(async () => {
  test_ = await openTestPlatform({ plans: PLANS });
  platform = test_.platform;
  await createStepsTables(platform);
});
afterEach(async () => {
  await workers.stop();
  await test_[Symbol.asyncDispose]();
});

/** Somebody on this plan, or who has no account yet, with five jobs that wait at their gates. */
async function waiting(planId: string | null): Promise<string> {
  const ownerId = newId('usr');
  if (planId !== null) await platform.database.prisma.$transaction((tx) => choosePlan(tx, ownerId, planId));
  for (let count = 0; count < 5; count++) await addStepsJob(platform, ownerId, ['gate']);
  return ownerId;
}
const running = (ownerId: string): Promise<string[]> =>
  platform.database.prisma.job
    .findMany({ where: { ownerId, state: 'RUNNING' }, select: { id: true } })
    .then((rows) => rows.map(({ id }) => id));
const handed = (ownerId: string): Promise<number> =>
  platform.database.prisma.job.count({ where: { ownerId, handedAt: { not: null }, state: { not: 'SUCCEEDED' } } });
const isRunning = (ownerId: string, count: number): Promise<true> =>
  waitFor(`${count} jobs to run`, async () => ((await running(ownerId)).length === count ? true : null));

test('as many jobs of an account run at once as its plan allows, and no more than the operator allows', async () => {
  const [free, team, business, nobody] = [
    await waiting('free'),
    await waiting('team'),
    await waiting('business'),
    await waiting(null),
  ];
  workers = startWorkerStack(platform, [stepsHandler(platform)], { concurrency: 20, maxConcurrentJobs: 4 });
  for (const [ownerId, limit] of [
    [free, 1] as const,
    [team, 2] as const,
    [business, 4] as const,
    [nobody, 4] as const,
  ]) {
    await isRunning(ownerId, limit);
    expect(await handed(ownerId)).toBe(limit);
  }
  // Each that ends makes room for the next.
  const [first] = await running(free);
  await openGate(platform, first!);
  await waitFor('the next one', async () => ((await running(free)).some((id) => id !== first) ? true : null));
  expect(await handed(free)).toBe(1);
});

test('a plan that is changed counts for the jobs that wait', async () => {
  const ownerId = await waiting('free');
  workers = startWorkerStack(platform, [stepsHandler(platform)], { concurrency: 20, maxConcurrentJobs: 4 });
  await isRunning(ownerId, 1);
  await platform.database.prisma.$transaction((tx) => choosePlan(tx, ownerId, 'team'));
  await isRunning(ownerId, 2);
});
