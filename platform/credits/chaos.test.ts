import { randomInt } from 'node:crypto';
import type { PlatformTransaction } from '../database/database';
import { newId } from '../ids';
import { createJob, FINAL_STATES, type FinishedJob, finishedJobsTopic, type Job } from '../jobs/job';
import { JobCommandRefused, requestCancel, requestRetry } from '../jobs/job-commands';
import { JobLost, JobProblem } from '../jobs/job-handler';
import { NeedError } from '../jobs/job-needs';
import { resizeJob } from '../jobs/job-size';
import { JobStore } from '../jobs/job-store';
import type { Platform } from '../platform';
import { claim } from '../testing/claim';
import { leaveCredits, ledgerFaults } from '../testing/ledger';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { InsufficientCredits } from './ledger';

const ACTORS = 6;
const MOVES_OF_EACH = 80;
const OWNERS = Array.from({ length: 3 }, () => newId('usr'));
/** What one call may begin together: see `lockAccount`. */
const KINDS = [['TRANSCRIBE', 'TRANSLATE_TRANSCRIPT', 'TRANSCODE', 'EXPORT_TRANSCRIPT'], ['NOT_SOLD']];
const FAILURE = { code: 'INTERNAL', message: 'broke', retryable: true };
/** What moves are refused with when others were there first, or the credits do not suffice. */
const REFUSALS = [JobLost, JobCommandRefused, JobProblem, NeedError, InsufficientCredits];

let test_: TestPlatform;
let platform: Platform;
let store: JobStore;
beforeAll(async () => {
  test_ = await openTestPlatform();
  platform = test_.platform;
  store = new JobStore(platform.database, platform.events);
});
afterAll(() => test_[Symbol.asyncDispose]());

const oneOf = <Item>(items: readonly Item[]): Item => items[randomInt(items.length)]!;
const cleanUp = async (): Promise<void> => undefined;
const prisma = () => platform.database.prisma;
const jobs = (): Promise<Job[]> => prisma().job.findMany();
const aSize = (): number | null => oneOf([null, 1, 70_000, 200_000, 900_000]);

/** One call that begins up to three jobs, of which the later may need the first. */
function begin(ownerId: string, size = aSize): Promise<unknown> {
  return prisma().$transaction(async (tx) => {
    const made: string[] = [];
    const kinds = oneOf(KINDS);
    for (let count = randomInt(1, 4); count > 0; count--) {
      const definition = { kind: oneOf(kinds), maxAttempts: 3, parse: () => ({}) };
      const needs = made.length > 0 && randomInt(2) === 0 ? [made[0]!] : [];
      const job = { ownerId, subjectId: 'x', payload: {}, size: size(), needs };
      made.push((await createJob(tx, platform.events, definition, job)).id);
    }
  });
}

/** As a running handler does. */
function resize(job: Job): Promise<void> {
  const transaction = <Result>(work: (tx: PlatformTransaction) => Promise<Result>): Promise<Result> =>
    prisma().$transaction(async (tx) => {
      await store.fence(tx, job.id, job.attempt);
      return work(tx);
    });
  return resizeJob({ job, transaction }, platform.events, aSize());
}

/** The worker stops renewing its lease, and another one finds the job. */
async function lose({ id }: Job): Promise<void> {
  await prisma().job.updateMany({ where: { id, state: 'RUNNING' }, data: { heartbeatAt: new Date(0) } });
  await store.takeOver(id, cleanUp);
}

function command(job: Job, give: typeof requestCancel): Promise<Job | null> {
  const own = { jobId: job.id, ownerId: job.ownerId };
  return prisma().$transaction((tx) => give(tx, platform.events, own));
}

const MOVES: ((job: Job) => Promise<unknown>)[] = [
  ({ ownerId }) => begin(ownerId),
  ({ id, attempt }) => claim(platform, store, id, { attempt: attempt + 1, workerId: newId('job') }),
  ({ id, attempt }) => claim(platform, store, id, { attempt: attempt + 1, workerId: newId('job') }),
  resize,
  ({ id, attempt }) => store.succeed(id, attempt, async () => undefined),
  ({ id, attempt }) => store.giveUp(id, attempt, { ...FAILURE, retryable: randomInt(2) === 0 }, cleanUp),
  ({ id, attempt }) => store.handBack(id, attempt, cleanUp),
  lose,
  (job) => command(job, requestCancel),
  ({ id }) => store.cancelWaiting(id, cleanUp),
  (job) => command(job, requestRetry),
];

async function act(): Promise<void> {
  for (let moves = MOVES_OF_EACH; moves > 0; moves--) {
    try {
      await oneOf(MOVES)(oneOf(await jobs()));
    } catch (error) {
      if (!REFUSALS.some((refusal) => error instanceof refusal)) throw error;
    }
  }
}

/** Whatever still runs or waits is asked to stop, and does. */
async function stopAll(): Promise<void> {
  for (const job of await jobs()) {
    await command(job, requestCancel);
    await prisma().job.updateMany({ where: { id: job.id }, data: { heartbeatAt: new Date(0) } });
    await store.cancelWaiting(job.id, cleanUp);
  }
}

test('the books are right after any order of starts, ends, retries, cancels and losses of workers', async () => {
  for (const ownerId of OWNERS) {
    await leaveCredits(platform, ownerId, 60);
    await begin(ownerId, () => 1);
  }
  const acting = Array.from({ length: ACTORS }, act);
  const results = await Promise.allSettled(acting);
  expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
  expect(await ledgerFaults(platform)).toEqual([]);
  // Of all that happened, not of what is left: a job that failed may have been tried again.
  const endings = await prisma().event.findMany({ where: { topic: finishedJobsTopic.name } });
  const states = new Set(endings.map(({ payload }) => (payload as unknown as FinishedJob).state));
  expect([...states].sort()).toEqual(['CANCELED', 'FAILED', 'SUCCEEDED']);

  await stopAll();
  expect((await jobs()).filter(({ state }) => !FINAL_STATES.includes(state))).toEqual([]);
  expect(await ledgerFaults(platform)).toEqual([]);
  const accounts = await prisma().creditAccount.findMany();
  expect(accounts.map(({ held }) => held)).toEqual([0, 0, 0]);
  const spent = await prisma().job.aggregate({ where: { state: 'SUCCEEDED' }, _sum: { credits: true } });
  const left = accounts.reduce((sum, { balance }) => sum + balance, 0);
  expect(left + spent._sum.credits!).toBe(3 * 60);
}, 120_000);
