import { jobEnd } from '../testing/job-end';
import { newId } from '../ids';
import type { Logger } from '../logger';
import type { Platform } from '../platform';
import { describeWhenInstalled, programMissing } from '../testing/installed';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { startTestRedis, type TestRedis } from '../testing/redis';
import { addStepsJob, createStepsTables, openGate, stepsHandler, stepsOf } from '../testing/steps-job';
import { waitFor } from '../testing/wait';
import { startWorkerStack } from '../testing/worker-stack';
import type { Job } from './job';
import { createJobQueue, type JobQueue } from './queue';

let test_: TestPlatform;
let platform: Platform;
let redis: TestRedis | undefined;
const said: string[] = [];
const say = (_details: object, message: string): void => void said.push(message);
const logger: Logger = { debug: say, info: say, warn: say, error: say, child: () => logger };

beforeEach(async () => {
  said.length = 0;
  test_ = await openTestPlatform({ logger });
  platform = test_.platform;
  await createStepsTables(platform);
});
afterEach(() => test_[Symbol.asyncDispose]());

const openQueue = (): JobQueue => createJobQueue({ databaseUrl: platform.database.url, redisUrl: redis?.url, logger });
const startWorker = () =>
  startWorkerStack(platform, [stepsHandler(platform)], { concurrency: 2, ...(redis && { redisUrl: redis.url }) });
const finished = (id: string): Promise<Job> => jobEnd(platform, id, 40_000);

function behavesAsAQueue(): void {
  test('the same attempt twice is one entry, and the next attempt another, which comes first', async () => {
    await using queue = openQueue();
    const jobId = newId('job');
    for (const attempt of [1, 1, 2]) await queue.add({ jobId, attempt, priority: 0 });
    expect(await queue.has({ jobId, attempt: 1 })).toBe(true);
    expect(await queue.has({ jobId, attempt: 3 })).toBe(false);
    const taken: string[] = [];
    queue.work({ concurrency: 1, run: async (id, attempt) => void taken.push(`${id} ${attempt}`) });
    await waitFor(
      'both entries to be taken',
      async () => !(await queue.has({ jobId, attempt: 2 })) && taken.length > 1,
    );
    expect(taken).toEqual([`${jobId} 2`, `${jobId} 1`]);
  });

  test('takes no more at once than it may, and nothing once it is paused', async () => {
    await using queue = openQueue();
    const taken: string[] = [];
    const atGate: (() => void)[] = [];
    const add = (jobId: string) => queue.add({ jobId, attempt: 1, priority: 0 });
    for (const name of ['a', 'b', 'c']) await add(name);
    const run = (jobId: string): Promise<void> => {
      taken.push(jobId);
      return new Promise((resolve) => atGate.push(resolve));
    };
    queue.work({ concurrency: 2, run });
    await waitFor('two entries to be taken', () => taken.length === 2);
    await queue.pause();
    atGate.forEach((open) => open());
    await waitFor(
      'the two to be done',
      async () => !(await queue.has({ jobId: 'a', attempt: 1 })) && !(await queue.has({ jobId: 'b', attempt: 1 })),
    );
    expect(taken).toEqual(['a', 'b']);
    expect(await queue.has({ jobId: 'c', attempt: 1 })).toBe(true);
  });

  test('two workers share the work and no job runs twice', async () => {
    await using _one = startWorker();
    await using _two = startWorker();
    const jobs = await Promise.all(Array.from({ length: 30 }, () => addStepsJob(platform, newId('usr'), ['one'])));
    for (const { id } of jobs) {
      expect(await finished(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
      expect(await stepsOf(platform, id)).toEqual(['1 one', '1 result']);
    }
  });
}

describe('on PostgreSQL', () => {
  behavesAsAQueue();

  test('jobs are not lost when the queue’s store is emptied', async () => {
    const { id } = await addStepsJob(platform, newId('usr'), ['one']);
    await using queue = openQueue();
    await platform.database.prisma.jobOutbox.deleteMany(); // handed over, and then forgotten
    await platform.database.prisma.job.update({ where: { id }, data: { createdAt: new Date(0) } });
    expect(await queue.has({ jobId: id, attempt: 1 })).toBe(false);
    await using _worker = startWorker();
    expect(await finished(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
  });

  test('an entry is kept while the database cannot say whose turn it is', async () => {
    const { prisma } = platform.database;
    const { id } = await addStepsJob(platform, newId('usr'), ['one']);
    // Too young for the sweep that would find it again if the entry were spent.
    await prisma.job.update({ where: { id }, data: { createdAt: new Date(Date.now() + 3_600_000) } });
    await prisma.$executeRaw`alter table platform.job rename column heartbeat_at to away`;
    await using _worker = startWorker();
    await waitFor('the claim to fail', () => said.includes('a job cannot be claimed; trying again'));
    await prisma.$executeRaw`alter table platform.job rename column away to heartbeat_at`;
    expect(await finished(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
  });
});

describeWhenInstalled(programMissing('redis-server', 'redis-server'), 'on Redis', () => {
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(async () => {
    await redis?.[Symbol.asyncDispose]();
    redis = undefined;
  });

  behavesAsAQueue();

  test('a Redis that is killed and comes back empty loses no job', async () => {
    await using _worker = startWorker();
    const running = await addStepsJob(platform, newId('usr'), ['one', 'gate', 'two']);
    await waitFor('the first job to run', async () => (await stepsOf(platform, running.id)).length === 1);
    await redis!.kill();
    const waiting = await addStepsJob(platform, newId('usr'), ['one']);
    await openGate(platform, running.id);
    expect(await finished(running.id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
    await redis!.start();
    expect(await finished(waiting.id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
  });

  test('who asks a Redis that is away is told so', async () => {
    await using queue = openQueue();
    expect(await queue.has({ jobId: 'x', attempt: 1 })).toBe(false);
    await redis!.kill();
    await expect(queue.add({ jobId: 'x', attempt: 1, priority: 0 })).rejects.toThrow(/did not answer/);
    await redis!.start();
  });
});
