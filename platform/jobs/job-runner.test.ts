import { jobEnd } from '../testing/job-end';
import { newId } from '../ids';
import type { Platform } from '../platform';
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
  type StepsPayload,
} from '../testing/steps-job';
import { waitFor } from '../testing/wait';
import { startWorkerStack, type WorkerStack } from '../testing/worker-stack';
import { finishedJobsTopic, jobsTopic, type Job, type JobSnapshot } from './job';
import { requestCancel } from './job-commands';
import type { JobHandler } from './job-handler';

let test_: TestPlatform;
let platform: Platform;
let worker: WorkerStack | undefined;
let ownerId: string;

beforeAll(async () => {
  test_ = await openTestPlatform();
  platform = test_.platform;
  await createStepsTables(platform);
});
beforeEach(() => (ownerId = newId('usr')));
afterEach(async () => {
  await worker?.stop();
  worker = undefined;
  await removeJobs(platform);
});
afterAll(() => test_[Symbol.asyncDispose]());

const read = (id: string): Promise<Job> => platform.database.prisma.job.findUniqueOrThrow({ where: { id } });
const cancel = (jobId: string, by = ownerId): Promise<Job | null> =>
  platform.database.prisma.$transaction((tx) => requestCancel(tx, platform.events, { jobId, ownerId: by }));
const finished = (id: string): Promise<Job> => jobEnd(platform, id);
const at = (id: string, step: string): Promise<Job> =>
  waitFor(`the job to be at ${step}`, async () => {
    const job = await read(id);
    return job.stage === step ? job : null;
  });

/** Everything announced to the owner so far. */
async function announced(): Promise<JobSnapshot[]> {
  const rows = await platform.database.prisma.event.findMany({
    where: { topic: jobsTopic(ownerId).name },
    orderBy: { seq: 'asc' },
  });
  return rows.map((row) => row.payload as unknown as JobSnapshot);
}

onEachBackend((backend) => {
  const start = (): WorkerStack => (worker = startWorkerStack(platform, [stepsHandler(platform)], backend()));

  test('a job runs once, and its result becomes visible together with its end', async () => {
    start();
    const { id } = await addStepsJob(platform, ownerId, ['one', 'two']);
    const job = await finished(id);
    expect(job).toMatchObject({ state: 'SUCCEEDED', attempt: 1, progress: 1, errorCode: null });
    expect(job.finishedAt!.getTime()).toBeGreaterThanOrEqual(job.startedAt!.getTime());
    expect(await stepsOf(platform, id)).toEqual(['1 one', '1 two', '1 result']);
  });

  test('its owner is told every state in order, with progress that only rises, and everybody its end', async () => {
    start();
    const { id } = await addStepsJob(platform, ownerId, ['one', 'gate', 'two']);
    await at(id, 'gate');
    await openGate(platform, id);
    await finished(id);
    const events = await announced();
    expect(events.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1])).toEqual([
      'QUEUED',
      'RUNNING',
      'SUCCEEDED',
    ]);
    const progress = events.map((event) => event.progress);
    expect(progress).toEqual([...progress].sort((one, other) => one - other));
    expect(events).toContainEqual(
      expect.objectContaining({ jobId: id, state: 'RUNNING', stage: 'gate', progress: 1 / 3 }),
    );
    const everybody = await platform.database.prisma.event.findMany({ where: { topic: finishedJobsTopic.name } });
    expect(everybody.map((row) => row.payload)).toEqual([
      expect.objectContaining({ jobId: id, ownerId, state: 'SUCCEEDED' }),
    ]);
  });

  test('a job whose transaction rolls back neither runs nor is announced', async () => {
    start();
    const rolledBack = platform.database.prisma.$transaction(async (tx) => {
      await tx.job.create({
        data: { id: newId('job'), kind: 'STEPS', ownerId, subjectId: 'x', payload: {}, maxAttempts: 1 },
      });
      throw new Error('changed my mind');
    });
    await expect(rolledBack).rejects.toThrow('changed my mind');
    expect(await announced()).toEqual([]);
    expect(await platform.database.prisma.job.count()).toBe(0);
  });

  test('an unexpected failure is tried again up to the limit, with its cause kept from the owner', async () => {
    start();
    const { id } = await addStepsJob(platform, ownerId, ['one', 'throw'], { maxAttempts: 2 });
    const job = await finished(id);
    expect(job).toMatchObject({ state: 'FAILED', attempt: 2, errorCode: 'INTERNAL', errorRetryable: true });
    expect(job.errorMessage).not.toMatch(/broke/);
    expect(await stepsOf(platform, id)).toEqual(['1 one', '2 one']);
    expect(await cleanUpsOf(platform)).toEqual(['abandoned FAILED INTERNAL']);
    expect((await announced()).map(({ state, error }) => `${state} ${error?.code ?? ''}`)).toContain('QUEUED INTERNAL');
  });

  test('a problem that no attempt can solve ends the job at once', async () => {
    start();
    const { id } = await addStepsJob(platform, ownerId, ['refuse']);
    expect(await finished(id)).toMatchObject({
      state: 'FAILED',
      attempt: 1,
      errorCode: 'UNSUPPORTED',
      errorMessage: 'This cannot be done.',
      errorRetryable: false,
    });
    expect(await cleanUpsOf(platform)).toEqual(['abandoned FAILED UNSUPPORTED']);
  });

  describe.each([
    ['whose payload cannot be read', { steps: 'not a list', kind: 'STEPS' }, 'INTERNAL', 'this version cannot read'],
    [
      'of a kind that no worker knows',
      { steps: [], kind: 'DANCE' },
      'UNSUPPORTED',
      'No worker here knows jobs of kind DANCE',
    ],
  ])('a job %s', (_what, { steps, kind }, code, message) => {
    const addPoison = async (): Promise<string> => {
      const { id } = await addStepsJob(platform, ownerId, steps, { maxAttempts: 2 });
      await platform.database.prisma.job.update({ where: { id }, data: { kind } });
      return id;
    };
    const handedBack = (id: string, attempt: number): Promise<Job> =>
      waitFor(`attempt ${attempt} to be handed back`, async () => {
        const job = await read(id);
        return job.attempt === attempt && job.state !== 'RUNNING' ? job : null;
      });
    /** As if the waiting time were over. */
    const hurry = (jobId: string) =>
      platform.database.prisma.jobOutbox.update({ where: { jobId }, data: { runAt: new Date() } });

    test('waits for another worker, lets others pass, and fails after its last attempt', async () => {
      const id = await addPoison();
      const next = await addStepsJob(platform, ownerId, ['one']);
      const before = Date.now();
      start();
      expect(await handedBack(id, 1)).toMatchObject({ state: 'QUEUED', errorCode: code });
      expect(await finished(next.id)).toMatchObject({ state: 'SUCCEEDED' });
      const { runAt } = await platform.database.prisma.jobOutbox.findUniqueOrThrow({ where: { jobId: id } });
      expect(runAt.getTime()).toBeGreaterThanOrEqual(before + 60_000);
      await hurry(id);
      expect(await finished(id)).toMatchObject({
        state: 'FAILED',
        attempt: 2,
        errorCode: code,
        errorMessage: expect.stringContaining(message) as string,
      });
      expect(await cleanUpsOf(platform)).toEqual([]);
    });

    test('is run by a worker that understands it', async () => {
      const id = await addPoison();
      start();
      await handedBack(id, 1);
      await worker!.stop();
      const handler = stepsHandler(platform);
      const newer = { ...handler, definition: { ...handler.definition, kind, parse: () => ({ steps: ['danced'] }) } };
      worker = startWorkerStack(platform, [newer], backend());
      await hurry(id);
      expect(await finished(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
      expect(await stepsOf(platform, id)).toEqual(['2 danced', '2 result']);
    });
  });

  test('a poisoned job whose worker died is ended by the sweep, which goes on to the others', async () => {
    const dead = { state: 'RUNNING' as const, attempt: 3, heartbeatAt: new Date(0) };
    const poison = await addStepsJob(platform, ownerId, 'not a list');
    const other = await addStepsJob(platform, ownerId, ['one']);
    await platform.database.prisma.jobOutbox.deleteMany();
    await platform.database.prisma.job.update({ where: { id: poison.id }, data: dead });
    await platform.database.prisma.job.update({
      where: { id: other.id },
      data: { ...dead, attempt: 1, heartbeatAt: new Date(1) },
    });
    start();
    expect(await finished(poison.id)).toMatchObject({ state: 'FAILED', errorCode: 'WORKER_LOST' });
    expect(await finished(other.id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
  });

  test('a job that only waits is canceled at once and never runs', async () => {
    const { id } = await addStepsJob(platform, ownerId, ['one']);
    expect(await cancel(id)).toMatchObject({ state: 'CANCELING' });
    start();
    expect(await finished(id)).toMatchObject({ state: 'CANCELED', attempt: 0, errorCode: null });
    expect(await stepsOf(platform, id)).toEqual([]);
    expect(await cleanUpsOf(platform)).toEqual(['abandoned CANCELED']);
  });

  test('a running job stops when it is canceled, and what it left is removed', async () => {
    start();
    const { id } = await addStepsJob(platform, ownerId, ['one', 'gate', 'two']);
    await at(id, 'gate');
    await cancel(id);
    expect(await finished(id)).toMatchObject({ state: 'CANCELED', attempt: 1, errorCode: null });
    expect(await stepsOf(platform, id)).toEqual(['1 one']);
    expect(await cleanUpsOf(platform)).toEqual(['abandoned CANCELED']);
    expect((await announced()).map(({ state }) => state).slice(-2)).toEqual(['CANCELING', 'CANCELED']);
  });

  test('what an attempt did outside of transactions is taken back unless its result is committed', async () => {
    const undone: string[] = [];
    const handler: JobHandler<StepsPayload> = {
      ...stepsHandler(platform),
      async run({ steps }, context) {
        const { job } = context;
        context.undo(async () => void undone.push(`${job.attempt} ${steps[0]}`));
        if (steps[0] === 'fail' && job.attempt === 1) throw new Error('something broke');
        return async () => {
          if (steps[0] === 'fail to commit' && job.attempt === 1) throw new Error('something broke');
        };
      },
    };
    worker = startWorkerStack(platform, [handler], backend());
    const ids = await Promise.all(
      ['succeed', 'fail', 'fail to commit'].map(async (step) => (await addStepsJob(platform, ownerId, [step])).id),
    );
    const states = await Promise.all(ids.map(async (id) => (await finished(id)).state));
    expect(states).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(undone.sort()).toEqual(['1 fail', '1 fail to commit']);
  });

  test('a job that waits for its next attempt is canceled without running again', async () => {
    start();
    const { id } = await addStepsJob(platform, ownerId, ['throw']);
    await waitFor('the first attempt to fail', async () => (await read(id)).errorCode);
    await cancel(id);
    expect(await finished(id)).toMatchObject({ state: 'CANCELED', attempt: 1 });
  });

  test('a cancel that comes too late changes nothing, and a stranger’s cancel finds no job', async () => {
    start();
    const { id } = await addStepsJob(platform, ownerId, ['one']);
    await finished(id);
    expect(await cancel(id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await cancel(id, newId('usr'))).toBeNull();
  });

  test('a worker that goes down hands its job back uncounted, and another finishes it', async () => {
    start();
    const { id } = await addStepsJob(platform, ownerId, ['one', 'gate', 'two'], { maxAttempts: 1 });
    await at(id, 'gate');
    await worker!.stop();
    expect(await read(id)).toMatchObject({ state: 'QUEUED', heartbeatAt: null });
    await openGate(platform, id);
    start();
    const job = await finished(id);
    expect(job).toMatchObject({ state: 'SUCCEEDED', attempt: job.maxAttempts });
    // The queue may have handed it to the leaving worker once more, which then hands it back once more.
    const steps = await stepsOf(platform, id);
    expect([steps[0], ...steps.slice(-3)]).toEqual([
      '1 one',
      ...['one', 'two', 'result'].map((s) => `${job.attempt} ${s}`),
    ]);
    expect(job.attempt).toBeGreaterThan(1);
    expect(await cleanUpsOf(platform)).toEqual([]);
  });

  test('a worker that goes down lets a job finish that needs no longer than the grace', async () => {
    start();
    const { id } = await addStepsJob(platform, ownerId, ['gate', 'two']);
    await at(id, 'gate');
    const stopped = worker!.stop(30_000);
    await openGate(platform, id);
    await stopped;
    expect(await read(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
  });

  test('a job that was canceled while its worker goes down ends as canceled', async () => {
    start();
    const { id } = await addStepsJob(platform, ownerId, ['one', 'gate']);
    await at(id, 'gate');
    // Without an event of its own, as if the notification were lost in the moment of the shutdown.
    await platform.database.prisma.$executeRaw`alter table platform.job disable trigger job_cancel_notify`;
    await cancel(id);
    await platform.database.prisma.$executeRaw`alter table platform.job enable trigger job_cancel_notify`;
    await worker!.stop();
    expect(await read(id)).toMatchObject({ state: 'CANCELED' });
    expect(await cleanUpsOf(platform)).toEqual(['abandoned CANCELED']);
  });

  test('jobs of higher priority start first', async () => {
    worker = startWorkerStack(platform, [stepsHandler(platform)], { concurrency: 1, ...backend() });
    const first = await addStepsJob(platform, ownerId, ['gate']);
    await at(first.id, 'gate');
    const ids: string[] = [];
    for (const priority of [0, 5, 1]) ids.push((await addStepsJob(platform, ownerId, ['one'], { priority })).id);
    await waitFor('the queue to hold them all', async () => (await platform.database.prisma.jobOutbox.count()) === 0);
    await openGate(platform, first.id);
    await Promise.all(ids.map(finished));
    const jobs = await platform.database.prisma.job.findMany({
      where: { id: { in: ids } },
      orderBy: { startedAt: 'asc' },
    });
    expect(jobs.map((job) => job.priority)).toEqual([5, 1, 0]);
  });
});
