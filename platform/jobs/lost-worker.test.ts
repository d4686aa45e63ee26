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
import { JobStore } from './job-store';
import { JobLost } from './job-handler';
import { FINAL_STATES, requestCancel, type Job } from './job';

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

describe('the moves of a row', () => {
  const failure = { code: 'INTERNAL', message: 'broke', retryable: true };
  const cleanUp = async (): Promise<void> => undefined;

  test('every move of an attempt that lost the job is refused', async () => {
    const store = new JobStore(platform.database, platform.events);
    const { id } = await addStepsJob(platform, newId('usr'), []);
    expect(await store.claim(id, 1)).toMatchObject({ state: 'RUNNING', attempt: 1 });
    await expireLease(id);
    expect(await store.takeOver(id, cleanUp)).toBe(true);
    expect(await store.claim(id, 2)).toMatchObject({ state: 'RUNNING', attempt: 2 });

    expect(await store.heartbeat(id, 1)).toBeNull();
    await store.progress(id, 1, { progress: 0.9, stage: 'late', expectedAt: null });
    await expect(store.succeed(id, 1, cleanUp)).rejects.toThrow(JobLost);
    await expect(store.giveUp(id, 1, failure, cleanUp)).rejects.toThrow(JobLost);
    await expect(store.handBack(id, 1, cleanUp)).rejects.toThrow(JobLost);
    expect(await read(id)).toMatchObject({ state: 'RUNNING', attempt: 2, stage: null, progress: 0 });
  });

  test('an attempt is claimed by one worker only, and only when its turn has come', async () => {
    const store = new JobStore(platform.database, platform.events);
    const { id } = await addStepsJob(platform, newId('usr'), []);
    expect(await store.claim(id, 2)).toBeNull();
    const claims = await Promise.all([1, 2, 3, 4, 5].map(() => store.claim(id, 1)));
    expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
  });

  test('a worker that renews its lease keeps its job', async () => {
    const store = new JobStore(platform.database, platform.events);
    const { id } = await addStepsJob(platform, newId('usr'), []);
    await store.claim(id, 1);
    await expireLease(id);
    expect(await store.dead()).toEqual([id]);
    expect(await store.heartbeat(id, 1)).toBe('RUNNING');
    expect(await store.dead()).toEqual([]);
    expect(await store.takeOver(id, cleanUp)).toBe(false);
  });

  test('the waiting time before the next attempt doubles', async () => {
    const store = new JobStore(platform.database, platform.events);
    const { id } = await addStepsJob(platform, newId('usr'), [], { maxAttempts: 4 });
    for (const [attempt, waitMs] of [
      [1, 1_000],
      [2, 2_000],
      [3, 4_000],
    ] as const) {
      await store.claim(id, attempt);
      const before = Date.now();
      await store.giveUp(id, attempt, failure, cleanUp);
      const after = Date.now();
      const { runAt } = await platform.database.prisma.jobOutbox.findUniqueOrThrow({ where: { jobId: id } });
      // The wait began somewhere in between, however long giving up took.
      expect(runAt.getTime()).toBeGreaterThanOrEqual(before + waitMs);
      expect(runAt.getTime()).toBeLessThanOrEqual(after + waitMs);
    }
  });

  test.each(['40P01', '40001'])(
    'a move that PostgreSQL ends in favour of another (%s) is made again',
    async (state) => {
      const store = new JobStore(platform.database, platform.events);
      const { id } = await addStepsJob(platform, newId('usr'), []);
      await store.claim(id, 1);
      // Counted by a sequence, which a rollback does not turn back: two moves fail, the third succeeds.
      await platform.database.prisma.$executeRawUnsafe('create sequence tries');
      await platform.database.prisma.$executeRawUnsafe(`
      create function lose_twice() returns trigger language plpgsql as $$
      begin
        if nextval('tries') <= 2 then raise exception 'lost' using errcode = '${state}'; end if;
        return new;
      end $$`);
      await platform.database.prisma.$executeRawUnsafe(
        `create trigger lose_twice before insert on platform.event for each row execute function lose_twice()`,
      );
      await store.giveUp(id, 1, failure, cleanUp);
      expect(await read(id)).toMatchObject({ state: 'QUEUED', errorCode: 'INTERNAL' });
      await platform.database.prisma.$executeRawUnsafe('alter sequence tries restart');
      await store.claim(id, 2);
      await platform.database.prisma.$executeRawUnsafe('alter sequence tries restart');
      await store.succeed(id, 2, cleanUp);
      expect(await read(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
    },
  );

  test('a move that loses every time rejects in the end', async () => {
    const store = new JobStore(platform.database, platform.events);
    const { id } = await addStepsJob(platform, newId('usr'), []);
    await store.claim(id, 1);
    const lost = store.succeed(id, 1, async (tx) => {
      await tx.$executeRaw`do $$ begin raise exception 'lost' using errcode = '40P01'; end $$`;
    });
    await expect(lost).rejects.toThrow(/lost/);
    expect(await read(id)).toMatchObject({ state: 'RUNNING', attempt: 1 });
  });

  test('of many jobs to cancel the oldest come first', async () => {
    const store = new JobStore(platform.database, platform.events);
    const ids = Array.from({ length: 101 }, () => newId('job'));
    await platform.database.prisma.job.createMany({
      data: ids.map((id, age) => ({
        ...{
          id,
          kind: 'STEPS',
          ownerId: 'x',
          subjectId: 'x',
          payload: {},
          maxAttempts: 1,
          state: 'CANCELING' as const,
        },
        createdAt: new Date(1_000_000 - age),
      })),
    });
    expect(await store.canceling()).toEqual(ids.reverse().slice(0, 100));
  });
});
