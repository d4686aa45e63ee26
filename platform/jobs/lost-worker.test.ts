import { jobEnd } from '../testing/job-end';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { newId } from '../ids';
import type { Platform } from '../platform';
import { repositoryRoot } from '../root';
import { onEachBackend } from '../testing/backends';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import {
  addStepsJob,
  cleanUpsOf,
  createStepsTables,
  openGate,
  removeJobs,
  stepsHandler,
  stepsOf,
} from '../testing/steps-job';
import { waitFor } from '../testing/wait';
import { startWorkerStack, type WorkerStack } from '../testing/worker-stack';
import { FINAL_STATES, type Job } from './job';
import { requestCancel } from './job-commands';

let test_: TestPlatform;
let platform: Platform;
let here: WorkerStack | undefined;
const children: ChildProcess[] = [];

beforeAll(async () => {
  test_ = await openTestPlatform();
  platform = test_.platform;
  await createStepsTables(platform);
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(children.splice(0).map(gone));
  await here?.stop();
  here = undefined;
  await removeJobs(platform);
});
afterAll(() => test_[Symbol.asyncDispose]());

interface WorkerProcess {
  child: ChildProcess;
  said: string[];
}

/** A worker in a process of its own. */
async function startProcess(env: Record<string, string> = {}): Promise<WorkerProcess> {
  const folder = path.join(repositoryRoot(), 'platform/testing');
  const script = ['-r', path.join(folder, 'register.cjs'), path.join(folder, 'steps-worker.ts'), platform.database.url];
  const STEPS_SCRATCH = platform.scratchDirectory;
  const child = spawn(process.execPath, script, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, STEPS_SCRATCH, ...env },
  });
  children.push(child);
  const said: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(...text.trim().split('\n')));
  await waitFor('the worker process to be ready', () => said.includes('ready'));
  return { child, said };
}

const startHere = (backend: { redisUrl?: string } = {}): WorkerStack =>
  (here = startWorkerStack(platform, [stepsHandler(platform)], backend));
const read = (id: string): Promise<Job> => platform.database.prisma.job.findUniqueOrThrow({ where: { id } });
const finished = (id: string): Promise<Job> => jobEnd(platform, id, 40_000);
const stepped = (id: string, step: string): Promise<unknown> =>
  waitFor(`the step "${step}"`, async () => (await stepsOf(platform, id)).includes(step));
const gone = (child: ChildProcess): Promise<unknown> => waitFor('the process to be gone', () => child.signalCode);
/** Linux tells the state of a process behind its name in parentheses; T is stopped by a signal. */
const isFrozen = (child: ChildProcess): boolean => / T /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'));
/** Lets the lease of a worker that no longer renews it run out now. */
const expireLease = (id: string) =>
  platform.database.prisma.job.update({ where: { id }, data: { heartbeatAt: new Date(0) } });

onEachBackend((backend) => {
  const start = () => startProcess(backend().redisUrl ? { REDIS_URL: backend().redisUrl! } : {});

  test('a job whose worker was killed is finished by another once the lease has run out, and its files are removed', async () => {
    const { child } = await start();
    const { id } = await addStepsJob(platform, newId('usr'), ['file', 'gate', 'two']);
    await stepped(id, '1 file');
    child.kill('SIGKILL');
    await gone(child);
    expect(await readdir(platform.scratchDirectory)).toEqual([`${id}.1`]);
    await openGate(platform, id);
    await expireLease(id);
    startHere(backend());
    expect(await finished(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
    expect(await stepsOf(platform, id)).toEqual(['1 file', '2 file', '2 two', '2 result']);
    await waitFor('all files to be removed', async () => (await readdir(platform.scratchDirectory)).length === 0);
  });

  test('a worker that was frozen in a transaction holds nobody up, and writes nothing more when it wakes', async () => {
    const { child, said } = await start();
    const { id } = await addStepsJob(platform, newId('usr'), ['one', 'freeze', 'two']);
    await stepped(id, '1 one');
    await waitFor('the process to be frozen', () => isFrozen(child));
    startHere(backend());
    expect(await finished(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
    child.kill('SIGCONT');
    await waitFor('the frozen worker to notice', () =>
      said.some((line) => /attempt failed|another attempt/.test(line)),
    );
    expect(await stepsOf(platform, id)).toEqual(['1 one', '2 one', '2 freeze', '2 two', '2 result']);
    expect(await read(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
    expect(await cleanUpsOf(platform)).toEqual([]);
  });
});

test('a worker whose main thread is busy for longer than the lease keeps its job', async () => {
  const unblock = path.join(test_.dataDirectory, 'unblock');
  await startProcess({ STEPS_UNBLOCK: unblock });
  const { id } = await addStepsJob(platform, newId('usr'), ['block', 'two']);
  await stepped(id, '1 block');
  await expireLease(id);
  await waitFor('the lease to be renewed', async () => (await read(id)).heartbeatAt!.getTime() > 0);
  startHere();
  await writeFile(unblock, '');
  expect(await finished(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
});

test('a job that kills its workers is given up, cleaned up, and told as WORKER_LOST', async () => {
  const { id } = await addStepsJob(platform, newId('usr'), ['one', 'die'], { maxAttempts: 2 });
  for (const attempt of [1, 2]) {
    const { child } = await startProcess();
    await gone(child);
    expect(await read(id)).toMatchObject({ state: 'RUNNING', attempt });
    await expireLease(id);
  }
  startHere();
  expect(await finished(id)).toMatchObject({ state: 'FAILED', attempt: 2, errorCode: 'WORKER_LOST' });
  expect(await stepsOf(platform, id)).toEqual(['1 one', '2 one']);
  expect(await cleanUpsOf(platform)).toEqual(['abandoned FAILED WORKER_LOST']);
});

test('a job that kills its workers does not take those down that run beside it', async () => {
  const startTwo = () => startProcess({ WORKER_CONCURRENCY: '2' });
  let { child } = await startTwo();
  const innocent = await addStepsJob(platform, newId('usr'), ['one', 'gate', 'two'], { maxAttempts: 1 });
  await stepped(innocent.id, '1 one');
  const poison = await addStepsJob(platform, newId('usr'), ['die'], { maxAttempts: 1 });
  const poisonEnded = async (): Promise<boolean> => FINAL_STATES.includes((await read(poison.id)).state);
  await gone(child);
  for (let deaths = 1; child.signalCode; deaths++) {
    // Now both are suspects and run one after the other.
    if (deaths === 2) await openGate(platform, innocent.id);
    await platform.database.prisma.job.updateMany({ where: { state: 'RUNNING' }, data: { heartbeatAt: new Date(0) } });
    ({ child } = await startTwo());
    await waitFor('the next death, or the end of the poison', async () => child.signalCode ?? (await poisonEnded()));
  }
  expect(await read(poison.id)).toMatchObject({ state: 'FAILED', errorCode: 'WORKER_LOST' });
  expect(await finished(innocent.id)).toMatchObject({ state: 'SUCCEEDED' });
});

test('a cancel whose worker is dead is carried out by another', async () => {
  const { child } = await startProcess();
  const ownerId = newId('usr');
  const { id } = await addStepsJob(platform, ownerId, ['one', 'gate']);
  await stepped(id, '1 one');
  child.kill('SIGKILL');
  await gone(child);
  await platform.database.prisma.$transaction((tx) => requestCancel(tx, platform.events, { jobId: id, ownerId }));
  await expireLease(id);
  startHere();
  expect(await finished(id)).toMatchObject({ state: 'CANCELED', attempt: 1 });
  expect(await cleanUpsOf(platform)).toEqual(['abandoned CANCELED']);
});
