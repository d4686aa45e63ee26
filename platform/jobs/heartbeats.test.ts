import { spawnSync } from 'node:child_process';
import { newId } from '../ids';
import { silentLogger } from '../logger';
import type { Platform } from '../platform';
import { claim } from '../testing/claim';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { addStepsJob } from '../testing/steps-job';
import { waitFor } from '../testing/wait';
import { Heartbeats, type Beat, type HeartbeatTimes } from './heartbeats';
import type { Job } from './job';
import { JobStore } from './job-store';

let test_: TestPlatform;
let platform: Platform;
let store: JobStore;
let heard: Beat[];
let beats: Heartbeats | undefined;

beforeEach(async () => {
  test_ = await openTestPlatform();
  platform = test_.platform;
  store = new JobStore(platform.database, platform.events);
  heard = [];
});
afterEach(async () => {
  await beats?.[Symbol.asyncDispose]();
  beats = undefined;
  await test_[Symbol.asyncDispose]();
});

const startBeats = (times: HeartbeatTimes = { everyMs: 50, stallMs: 60_000 }): Heartbeats => {
  const hear = (beat: Beat): void => void heard.push(beat);
  return (beats = new Heartbeats({ url: platform.database.url, logger: silentLogger, hear, times }));
};
const aRunningJob = async (): Promise<Job> => {
  const { id } = await addStepsJob(platform, newId('usr'), []);
  return (await claim(platform, store, id))!;
};
const expireLease = ({ id }: Job) =>
  platform.database.prisma.job.update({ where: { id }, data: { heartbeatAt: new Date(0) } });
const renewed = (job: Job): Promise<unknown> =>
  waitFor('the lease to be renewed', async () => (await store.dead()).includes(job.id) === false);
const told = (job: Job, state: Beat['state']): Promise<unknown> =>
  waitFor(`the job to be told ${state}`, () => heard.find((beat) => beat.id === job.id && beat.state === state));

test('the leases of all jobs of a process are renewed until they are removed', async () => {
  const jobs = [await aRunningJob(), await aRunningJob()];
  startBeats();
  jobs.forEach((job) => beats!.add(job));
  for (const job of jobs) await expireLease(job);
  for (const job of jobs) await renewed(job);
  beats!.remove(jobs[0]!);
  await told(jobs[1]!, 'RUNNING');
  for (const job of jobs) await expireLease(job);
  await renewed(jobs[1]!);
  expect(await store.dead()).toEqual([jobs[0]!.id]);
});

test('a cancel and a take-over are noticed', async () => {
  const [canceled, lost] = [await aRunningJob(), await aRunningJob()];
  await platform.database.prisma.job.update({ where: { id: canceled.id }, data: { state: 'CANCELING' } });
  await expireLease(lost);
  await store.takeOver(lost.id, async () => undefined);
  await claim(platform, store, lost.id, { attempt: 2 });
  startBeats();
  beats!.add(canceled);
  beats!.add(lost);
  await told(canceled, 'CANCELING');
  await told(lost, null);
});

test('a job whose row its handler has locked does not keep the others from being renewed', async () => {
  const [locked, free] = [await aRunningJob(), await aRunningJob()];
  startBeats();
  beats!.add(locked);
  beats!.add(free);
  await platform.database.prisma.$transaction(async (tx) => {
    await store.fence(tx, locked.id, 1);
    await expireLease(free);
    await renewed(free);
  });
  await expireLease(locked);
  await renewed(locked);
  expect(heard.every(({ state }) => state === 'RUNNING')).toBe(true);
});

test('the thread goes on when its connection is cut', async () => {
  const job = await aRunningJob();
  startBeats();
  beats!.add(job);
  await told(job, 'RUNNING');
  await platform.database.prisma.$executeRaw`
    select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'sauti:heartbeat' and datname = current_database()`;
  await expireLease(job);
  await renewed(job);
});

test('a busy main thread keeps its jobs, and one that does not turn for the limit loses them', async () => {
  const job = await aRunningJob();
  startBeats({ everyMs: 20, stallMs: 3_000 });
  beats!.add(job);
  await told(job, 'RUNNING');
  // Runs in another process while nothing of this one turns: takes the lease away until nobody renews it any more.
  const watch = `
    const client = new (require('pg').Client)(process.argv[1]);
    const stale = "update platform.job set heartbeat_at = to_timestamp(0) where id = '${job.id}'";
    const isStale = "select heartbeat_at = to_timestamp(0) as it from platform.job where id = '${job.id}'";
    void (async () => {
      await client.connect();
      let renewals = 0;
      for (let quiet = 0; quiet < 10; ) {
        await client.query(stale);
        await new Promise((resolve) => setTimeout(resolve, 100));
        const { rows } = await client.query(isStale);
        if (rows[0].it) quiet++;
        else [quiet, renewals] = [0, renewals + 1];
      }
      await client.end();
      console.log(renewals);
    })();`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', watch, platform.database.url], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(Number(stdout)).toBeGreaterThan(0);
  await renewed(job); // it turns again
});
