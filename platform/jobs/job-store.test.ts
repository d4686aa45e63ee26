import { newId } from '../ids';
import type { Platform } from '../platform';
import { claim } from '../testing/claim';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { addStepsJob, createStepsTables } from '../testing/steps-job';
import type { Job } from './job';
import { JobLost } from './job-handler';
import { JobStore } from './job-store';

let test_: TestPlatform;
let platform: Platform;

beforeEach(async () => {
  test_ = await openTestPlatform();
  platform = test_.platform;
  await createStepsTables(platform);
});
afterEach(() => test_[Symbol.asyncDispose]());

const read = (id: string): Promise<Job> => platform.database.prisma.job.findUniqueOrThrow({ where: { id } });
/** The database's clock, in milliseconds. */
async function databaseNow(): Promise<number> {
  const [row] = await platform.database.prisma.$queryRaw<{ at: Date }[]>`select clock_timestamp() as at`;
  return row!.at.getTime();
}
/** Lets the lease of a worker that no longer renews it run out now. */
const expireLease = (id: string) =>
  platform.database.prisma.job.update({ where: { id }, data: { heartbeatAt: new Date(0) } });

describe('the moves of a row', () => {
  const failure = { code: 'INTERNAL', message: 'broke', retryable: true };
  const cleanUp = async (): Promise<void> => undefined;

  test('every move of an attempt that lost the job is refused', async () => {
    const store = new JobStore(platform.database, platform.events);
    const { id } = await addStepsJob(platform, newId('usr'), []);
    expect(await claim(platform, store, id)).toMatchObject({ state: 'RUNNING', attempt: 1 });
    await expireLease(id);
    expect(await store.takeOver(id, cleanUp)).toBe(true);
    expect(await claim(platform, store, id, { attempt: 2 })).toMatchObject({ state: 'RUNNING', attempt: 2 });

    await store.progress(id, 1, { progress: 0.9, stage: 'late', expectedInMs: null });
    await expect(store.succeed(id, 1, cleanUp)).rejects.toThrow(JobLost);
    await expect(store.giveUp(id, 1, failure, cleanUp)).rejects.toThrow(JobLost);
    await expect(store.handBack(id, 1, cleanUp)).rejects.toThrow(JobLost);
    expect(await read(id)).toMatchObject({ state: 'RUNNING', attempt: 2, stage: null, progress: 0 });
  });

  test('an attempt is claimed by one worker only, and only when it was handed to the queue', async () => {
    const store = new JobStore(platform.database, platform.events);
    const { id } = await addStepsJob(platform, newId('usr'), []);
    expect(await store.claim({ jobId: id, attempt: 1, workerId: 'worker', isApart: false })).toBeNull();
    const claims = await Promise.all([1, 2, 3, 4, 5].map(() => claim(platform, store, id)));
    expect(claims.filter((claimed) => claimed !== null)).toEqual([await read(id)]);
  });

  describe('when a worker is lost', () => {
    const store = (): JobStore => new JobStore(platform.database, platform.events);
    const aRunningJob = async (workerId: string, losses = 0): Promise<Job> => {
      const { id } = await addStepsJob(platform, newId('usr'), [], { maxAttempts: 2 });
      await platform.database.prisma.job.update({ where: { id }, data: { losses } });
      return (await claim(platform, store(), id, { workerId }))!;
    };
    const lose = async ({ id }: Job): Promise<Job> => {
      await expireLease(id);
      expect(await store().takeOver(id, cleanUp)).toBe(true);
      return read(id);
    };

    test('its job says so until the next attempt starts', async () => {
      const job = await aRunningJob('worker');
      expect(await lose(job)).toMatchObject({ state: 'QUEUED', errorCode: 'WORKER_LOST', errorRetryable: true });
      expect(await claim(platform, store(), job.id, { attempt: 2 })).toMatchObject({
        ...{ state: 'RUNNING', errorCode: null, errorMessage: null, errorRetryable: null },
      });
    });

    test('a job that ran alone has used an attempt', async () => {
      await aRunningJob('another worker');
      expect(await lose(await aRunningJob('worker'))).toMatchObject({ losses: 1, attempt: 1, maxAttempts: 2 });
    });

    test('jobs that ran side by side have not, whatever has become of the first when the last is taken over', async () => {
      const [one, other] = [await aRunningJob('worker'), await aRunningJob('worker')];
      expect(await lose(one)).toMatchObject({ losses: 1, attempt: 1, maxAttempts: 3 });
      await claim(platform, store(), one.id, { attempt: 2, workerId: 'another worker' });
      expect(await lose(other)).toMatchObject({ losses: 1, attempt: 1, maxAttempts: 3 });
    });

    test('a job that has lost two workers has, whoever ran beside it', async () => {
      const [suspect] = [await aRunningJob('worker', 2), await aRunningJob('worker')];
      expect(await lose(suspect)).toMatchObject({ losses: 3, attempt: 1, maxAttempts: 2 });
    });

    test('a worker that runs such a job takes another job of the owner instead, or lets it wait', async () => {
      const ownerId = newId('usr');
      const [suspect, other] = [await addStepsJob(platform, ownerId, []), await addStepsJob(platform, ownerId, [])];
      await platform.database.prisma.job.update({ where: { id: suspect.id }, data: { losses: 2 } });
      await platform.database.prisma.job.updateMany({ data: { handedAt: new Date() } });
      const entry = { jobId: suspect.id, attempt: 1, workerId: 'worker', isApart: true };
      expect(await store().claim(entry)).toMatchObject({ id: other.id });
      expect(await store().claim(entry)).toBeNull();
      // It has lost its entry in the queue, so it is in line for another one.
      expect(await read(suspect.id)).toMatchObject({ state: 'QUEUED', handedAt: null });
      expect(await platform.database.prisma.jobOutbox.findUnique({ where: { jobId: suspect.id } })).not.toBeNull();
    });
  });

  test.each([
    ['at least', 0, [1_000, 2_000, 4_000]],
    ['at most', 0.999_999, [2_000, 4_000, 8_000]],
  ])('the waiting time before the next attempt doubles, and is %s so long', async (_what, chance, waitsMs) => {
    const store = new JobStore(platform.database, platform.events, () => chance);
    const { id } = await addStepsJob(platform, newId('usr'), [], { maxAttempts: 4 });
    for (const [index, waitMs] of waitsMs.entries()) {
      const attempt = index + 1;
      await claim(platform, store, id, { attempt });
      const before = await databaseNow();
      await store.giveUp(id, attempt, failure, cleanUp);
      const after = await databaseNow();
      const { runAt } = await platform.database.prisma.jobOutbox.findUniqueOrThrow({ where: { jobId: id } });
      // The wait began somewhere in between, however long giving up took.
      expect(runAt.getTime()).toBeGreaterThanOrEqual(before + waitMs - 1);
      expect(runAt.getTime()).toBeLessThanOrEqual(after + waitMs + 1);
    }
  });

  test.each(['40P01', '40001'])(
    'a move that PostgreSQL ends in favour of another (%s) is made again',
    async (state) => {
      const store = new JobStore(platform.database, platform.events);
      const { id } = await addStepsJob(platform, newId('usr'), []);
      await claim(platform, store, id);
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
      await claim(platform, store, id, { attempt: 2 });
      await platform.database.prisma.$executeRawUnsafe('alter sequence tries restart');
      await store.succeed(id, 2, cleanUp);
      expect(await read(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
    },
  );

  test('a move that loses every time rejects in the end', async () => {
    const store = new JobStore(platform.database, platform.events);
    const { id } = await addStepsJob(platform, newId('usr'), []);
    await claim(platform, store, id);
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
