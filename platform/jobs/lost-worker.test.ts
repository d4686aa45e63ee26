import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { newId } from '../ids';
import type { Platform } from '../platform';
import { repositoryRoot } from '../root';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { addStepsJob, cleanUpsOf, createStepsTables, openGate, stepsHandler, stepsOf } from '../testing/steps-job';
import { waitFor } from '../testing/wait';
import { startWorkerStack, type WorkerStack } from '../testing/worker-stack';
import { FINAL_STATES, type Job } from './job';
import { requestCancel } from './job-commands';

let test_: TestPlatform;
let platform: Platform;
let here: WorkerStack | undefined;
const children: ChildProcess[] = [];

beforeEach(async () => {
  test_ = await openTestPlatform();
  platform = test_.platform;
  await createStepsTables(platform);
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await here?.stop();
  here = undefined;
  await test_[Symbol.asyncDispose]();
});

interface WorkerProcess {
  child: ChildProcess;
  said: string[];
}

/** A worker in a process of its own. */
async function startProcess(): Promise<WorkerProcess> {
  const folder = path.join(repositoryRoot(), 'platform/testing');
  const script = ['-r', path.join(folder, 'register.cjs'), path.join(folder, 'steps-worker.ts'), platform.database.url];
  const child = spawn(process.execPath, script, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const said: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(...text.trim().split('\n')));
  await waitFor('the worker process to be ready', () => said.includes('ready'));
  return { child, said };
}

const startHere = (): WorkerStack => (here = startWorkerStack(platform, [stepsHandler(platform)]));
const read = (id: string): Promise<Job> => platform.database.prisma.job.findUniqueOrThrow({ where: { id } });
const finished = (id: string): Promise<Job> =>
  waitFor(
    'the job to end',
    async () => {
      const job = await read(id);
      return FINAL_STATES.includes(job.state) ? job : null;
    },
    40_000,
  );
const stepped = (id: string, step: string): Promise<unknown> =>
  waitFor(`the step "${step}"`, async () => (await stepsOf(platform, id)).includes(step));
const gone = (child: ChildProcess): Promise<unknown> => waitFor('the process to be gone', () => child.signalCode);
/** Linux tells the state of a process behind its name in parentheses; T is stopped by a signal. */
const isFrozen = (child: ChildProcess): boolean => / T /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'));
/** Lets the lease of a worker that no longer renews it run out now. */
const expireLease = (id: string) =>
  platform.database.prisma.job.update({ where: { id }, data: { heartbeatAt: new Date(0) } });

test('a job whose worker was killed is finished by another once the lease has run out', async () => {
  const { child } = await startProcess();
  const { id } = await addStepsJob(platform, newId('usr'), ['one', 'gate', 'two']);
  await stepped(id, '1 one');
  child.kill('SIGKILL');
  await gone(child);
  await openGate(platform, id);
  startHere();
  expect(await finished(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
  expect(await stepsOf(platform, id)).toEqual(['1 one', '2 one', '2 two', '2 result']);
});

test('a worker that was frozen and wakes up late writes nothing more', async () => {
  const { child, said } = await startProcess();
  const { id } = await addStepsJob(platform, newId('usr'), ['one', 'freeze', 'two']);
  await stepped(id, '1 one');
  await waitFor('the process to be frozen', () => isFrozen(child));
  startHere();
  expect(await finished(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
  child.kill('SIGCONT');
  await waitFor('the frozen worker to notice', () => said.some((line) => /attempt failed|another attempt/.test(line)));
  expect(await stepsOf(platform, id)).toEqual(['1 one', '2 one', '2 freeze', '2 two', '2 result']);
  expect(await read(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
  expect(await cleanUpsOf(platform)).toEqual([]);
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
