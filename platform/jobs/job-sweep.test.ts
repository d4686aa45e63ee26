import { newId } from '../ids';
import { silentLogger, type Logger } from '../logger';
import type { Platform } from '../platform';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { addStepsJob, createStepsTables, stepsHandler } from '../testing/steps-job';
import { waitFor } from '../testing/wait';
import { startWorkerStack } from '../testing/worker-stack';
import type { Job } from './job';

const said: string[] = [];
const logger: Logger = {
  ...silentLogger,
  warn: (_details: object, message: string) => void said.push(message),
  child: () => logger,
};
let test_: TestPlatform;
let platform: Platform;
beforeAll(async () => {
  test_ = await openTestPlatform({ logger });
  platform = test_.platform;
  await createStepsTables(platform);
});
afterAll(() => test_[Symbol.asyncDispose]());

/** A job in the given state that no worker of this test runs; its lease has run out. */
async function aJobOfAnother(state: 'RUNNING' | 'CANCELING'): Promise<string> {
  const { database } = platform;
  const { id } = await addStepsJob(platform, newId('usr'), []);
  await database.prisma.jobOutbox.deleteMany({ where: { jobId: id } });
  await database.prisma.job.update({ where: { id }, data: { state, attempt: 1, heartbeatAt: new Date(0) } });
  return id;
}
const read = (id: string): Promise<Job> => platform.database.prisma.job.findUniqueOrThrow({ where: { id } });

test('after the database was away, workers that live get the time to renew their leases; cancels are carried out', async () => {
  const [running, canceling] = [await aJobOfAnother('RUNNING'), await aJobOfAnother('CANCELING')];
  await platform.database.prisma.$executeRaw`alter table platform.job rename to job_that_is_away`;
  await using _worker = startWorkerStack(platform, [stepsHandler(platform)]);
  await waitFor('a sweep to fail', () => said.includes('the job sweep failed'));
  await platform.database.prisma.$executeRaw`alter table platform.job_that_is_away rename to job`;
  await waitFor('a sweep to succeed', async () => (await read(canceling)).state === 'CANCELED');
  expect(await read(running)).toMatchObject({ state: 'RUNNING', attempt: 1 });
  await waitFor('the job to be taken over after all', async () => (await read(running)).state === 'SUCCEEDED', 20_000);
});
