import { jobEnd } from '../../platform/testing/job-end';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { newId } from '../../platform/ids';
import { finishedJobsTopic, type Job } from '../../platform/jobs/job';
import { createJobQueue } from '../../platform/jobs/queue';
import type { Platform } from '../../platform/platform';
import { repositoryRoot } from '../../platform/root';
import { openTestPlatform, type TestPlatform } from '../../platform/testing/platform';
import { addStepsJob, createStepsTables, openGate, stepsOf } from '../../platform/testing/steps-job';
import { waitFor } from '../../platform/testing/wait';

/** Longer than a lease, a sweep and a slow machine. */
const LIMIT_MS = 60_000;
const HOUR_MS = 3_600_000;

let test_: TestPlatform;
let platform: Platform;
let scratch: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  test_ = await openTestPlatform();
  platform = test_.platform;
  scratch = await mkdtemp(path.join(os.tmpdir(), 'sauti-faults-'));
  await createStepsTables(platform);
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await test_[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

/** A worker in a process of its own, whose clock may be wrong. */
async function startWorker(clockOffsetMs = 0): Promise<ChildProcess> {
  const folder = path.join(repositoryRoot(), 'platform/testing');
  const preload = ['register.cjs', ...(clockOffsetMs === 0 ? [] : ['shifted-clock.cjs'])];
  const args = [...preload.flatMap((file) => ['-r', path.join(folder, file)]), path.join(folder, 'steps-worker.ts')];
  const child = spawn(process.execPath, [...args, platform.database.url], {
    env: { ...process.env, REDIS_URL: '', STEPS_SCRATCH: scratch, CLOCK_OFFSET_MS: String(clockOffsetMs) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  await waitFor('the worker to be ready', () => printed.includes('ready\n'), LIMIT_MS);
  return child;
}

const read = (id: string): Promise<Job> => platform.database.prisma.job.findUniqueOrThrow({ where: { id } });
const finished = (id: string): Promise<Job> => jobEnd(platform, id, LIMIT_MS);
const killed = (child: ChildProcess): Promise<unknown> =>
  waitFor('the worker to be killed', () => child.signalCode === 'SIGKILL', LIMIT_MS);

describe('a worker that is killed', () => {
  test.each([
    ['after the claim', ['die once', 'file', 'two'], []],
    ['in the middle of its work', ['file', 'die once', 'two'], ['1 file']],
    ['with the result written and not committed', ['file', 'two', 'die at end'], ['1 file', '1 two', '1 die at end']],
  ])(
    '%s leaves one result in the end, and no temporary files',
    async (_when, steps, before) => {
      const { id } = await addStepsJob(platform, newId('usr'), steps);
      await killed(await startWorker());
      expect(await stepsOf(platform, id)).toEqual(before);
      await startWorker();
      expect(await finished(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
      expect(await stepsOf(platform, id)).toEqual([...before, ...[...steps, 'result'].map((step) => `2 ${step}`)]);
      await waitFor('temporary files to be gone', async () => (await readdir(scratch)).length === 0);
    },
    120_000,
  );
});

describe('a worker whose clock is wrong', () => {
  /** Whether the lease has been renewed for longer than it lasts, by the database's clock. */
  const isHeldForLong = async (id: string): Promise<boolean> => {
    const rows = await platform.database.prisma.$queryRaw<unknown[]>`
      select 1 from platform.job where id = ${id} and heartbeat_at > started_at + interval '8 seconds'`;
    return rows.length > 0;
  };

  test.each([
    ['an hour ahead', HOUR_MS],
    ['an hour behind', -HOUR_MS],
    ['ten years ahead', 87_600 * HOUR_MS],
  ])(
    '(%s) keeps its job beside others, and takes none from them',
    async (_how, offsetMs) => {
      const jobs = [
        await addStepsJob(platform, newId('usr'), ['one', 'gate']),
        await addStepsJob(platform, newId('usr'), ['one', 'gate']),
      ];
      await startWorker();
      await startWorker(offsetMs);
      for (const { id } of jobs) await waitFor('a lease to be renewed', () => isHeldForLong(id), LIMIT_MS);
      for (const { id } of jobs) await openGate(platform, id);
      for (const { id } of jobs) expect(await finished(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
    },
    120_000,
  );

  test('tries again as soon as others would, and takes over what a dead one left', async () => {
    const failing = await addStepsJob(platform, newId('usr'), ['throw'], { maxAttempts: 2 });
    await startWorker(HOUR_MS);
    expect(await finished(failing.id)).toMatchObject({ state: 'FAILED', attempt: 2 });
    const left = await addStepsJob(platform, newId('usr'), ['die once']);
    await waitFor(
      'the worker to be killed',
      () => children.some(({ signalCode }) => signalCode === 'SIGKILL'),
      LIMIT_MS,
    );
    await startWorker(HOUR_MS);
    expect(await finished(left.id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
  }, 120_000);
});

test('entries that the queue delivers again after the end of their job run nothing and tell nobody', async () => {
  await startWorker();
  const { id } = await addStepsJob(platform, newId('usr'), ['one']);
  const ended = await finished(id);
  await using queue = createJobQueue({
    databaseUrl: platform.database.url,
    redisUrl: undefined,
    logger: platform.logger,
  });
  for (const attempt of [1, 2, 1, 3]) await queue.add({ jobId: id, attempt, priority: 0 });
  const areSpent = async (): Promise<boolean> => {
    const held = await Promise.all([1, 2, 3].map((attempt) => queue.has({ jobId: id, attempt })));
    return !held.includes(true);
  };
  await waitFor('the entries to be spent', areSpent, LIMIT_MS);
  expect(await read(id)).toEqual(ended);
  expect(await stepsOf(platform, id)).toEqual(['1 one', '1 result']);
  expect(await platform.database.prisma.event.count({ where: { topic: finishedJobsTopic.name } })).toBe(1);
}, 120_000);
