import type { PlatformTransaction } from '../database/database';
import { newId } from '../ids';
import type { Platform } from '../platform';
import { ledgerFaults } from '../testing/ledger';
import { openTestPlatform, type TestPlatform } from '../testing/platform';
import { balanceOf } from './balance';
import { adjustHold, charge, grant, hold, MAX_BALANCE, release, spend } from './ledger';
import { choosePlan, storePlans } from './plans';

const PLANS = [
  { id: 'free', name: 'Free', monthlyCredits: 100, maxConcurrentJobs: 2 },
  { id: 'team', name: 'Team', monthlyCredits: 300, maxConcurrentJobs: 8 },
];

let test_: TestPlatform;
let platform: Platform;
let ownerId: string;
let jobId: string;
beforeAll(async () => {
  test_ = await openTestPlatform({ plans: PLANS });
  platform = test_.platform;
});
beforeEach(() => {
  ownerId = newId('usr');
  jobId = newId('job');
});
afterEach(async () => {
  // No rows of jobs are written here, so what is held is in the entries alone.
  const faults = (await ledgerFaults(platform)).filter((fault) => fault.startsWith(ownerId));
  const { held } = await now();
  expect(faults.filter(() => held === 0)).toEqual([]);
});
afterAll(() => test_[Symbol.asyncDispose]());

const inTransaction = <Result>(work: (tx: PlatformTransaction) => Promise<Result>): Promise<Result> =>
  platform.database.prisma.$transaction(work);
const now = () => inTransaction((tx) => balanceOf(tx, ownerId));
const sums = async (): Promise<number[]> => {
  const { balance, planBalance, held } = await now();
  return [balance, planBalance, held];
};
const give = (credits: number) =>
  inTransaction((tx) => grant(tx, { ownerId, credits, id: newId('crd'), note: 'given', actorId: newId('usr') }));
const holding = (credits: number) => inTransaction((tx) => hold(tx, { ownerId, jobId, credits }));
/** `REASON amount planAmount` of every movement, oldest first. */
const entries = async (): Promise<string[]> => {
  const rows = await platform.database.prisma.creditEntry.findMany({
    where: { ownerId },
    orderBy: { position: 'asc' },
  });
  return rows.map(({ reason, amount, planAmount }) => `${reason} ${amount} ${planAmount}`);
};
/** As if the last look at the account had been in another month. */
const aMonthLater = () =>
  platform.database.prisma.creditAccount.update({ where: { ownerId }, data: { periodAt: new Date('2020-01-01') } });

describe('a month', () => {
  test('begins with the credits of the plan, once', async () => {
    await Promise.all(Array.from({ length: 10 }, now));
    expect(await entries()).toEqual(['PLAN 100 100']);
    expect(await sums()).toEqual([100, 100, 0]);
  });

  test('takes away what is left of the last one’s, and keeps what was given', async () => {
    await give(50);
    await holding(30);
    await aMonthLater();
    await Promise.all(Array.from({ length: 10 }, now));
    expect(await entries()).toEqual(['PLAN 100 100', 'GRANT 50 0', 'HOLD -30 -30', 'EXPIRY -70 -70', 'PLAN 100 100']);
    expect(await sums()).toEqual([150, 100, 30]);
  });

  test('does not take away what is reserved for a job, which comes back as it was', async () => {
    await give(50);
    await holding(120);
    await aMonthLater();
    await inTransaction((tx) => release(tx, { ownerId, jobId }));
    await now();
    expect((await entries()).slice(2)).toEqual([
      'HOLD -120 -100',
      'RELEASE 120 100',
      'EXPIRY -100 -100',
      'PLAN 100 100',
    ]);
    expect(await sums()).toEqual([150, 100, 0]);
  });
});

describe('what is held for a job', () => {
  test('comes from the plan first, and is spent when the job succeeds', async () => {
    await give(50);
    await holding(120);
    expect(await sums()).toEqual([30, 0, 120]);
    await inTransaction((tx) => charge(tx, { ownerId, jobId }));
    expect(await sums()).toEqual([30, 0, 0]);
    expect(await entries()).toEqual(['PLAN 100 100', 'GRANT 50 0', 'HOLD -120 -100', 'CHARGE 0 0']);
  });

  test('comes back where it came from, once however often it is released', async () => {
    await give(50);
    await holding(120);
    for (let times = 0; times < 2; times++) await inTransaction((tx) => release(tx, { ownerId, jobId }));
    expect(await sums()).toEqual([150, 100, 0]);
    expect((await entries()).slice(2)).toEqual(['HOLD -120 -100', 'RELEASE 120 100']);
  });

  test('is made more or less, and what is given back first is what does not expire', async () => {
    await give(50);
    await holding(90);
    for (const credits of [130, 130, 95, 0]) await inTransaction((tx) => adjustHold(tx, { ownerId, jobId, credits }));
    expect((await entries()).slice(2)).toEqual(['HOLD -90 -90', 'HOLD -40 -10', 'RELEASE 35 5', 'RELEASE 95 95']);
    expect(await sums()).toEqual([150, 100, 0]);
  });

  test('is not more than there is: nothing moves, and the message says how many are missing', async () => {
    await holding(40);
    for (const refused of [holding(61), inTransaction((tx) => adjustHold(tx, { ownerId, jobId, credits: 101 }))]) {
      await expect(refused).rejects.toMatchObject({
        problem: { code: 'INSUFFICIENT_CREDITS', message: 'This takes 61 credits, and 60 are left: 1 are missing.' },
      });
    }
    expect(await sums()).toEqual([60, 60, 40]);
  });

  test('is nothing any more when the account is gone', async () => {
    await holding(40);
    await platform.database.prisma.creditAccount.delete({ where: { ownerId } });
    await inTransaction((tx) => release(tx, { ownerId, jobId }));
    await inTransaction((tx) => charge(tx, { ownerId, jobId }));
    expect(await platform.database.prisma.creditEntry.count({ where: { ownerId } })).toBe(0);
  });
});

describe('a grant', () => {
  test('below zero takes what was given before what the plan gave, and no more than there is', async () => {
    await give(50);
    expect((await give(-60)).amount).toBe(-60);
    expect((await give(-1_000)).amount).toBe(-90);
    expect((await entries()).slice(1)).toEqual(['GRANT 50 0', 'GRANT -60 -10', 'GRANT -90 -90']);
    expect(await sums()).toEqual([0, 0, 0]);
  });

  test('does not lift an account above the limit, counting what is held', async () => {
    await holding(100);
    await give(MAX_BALANCE - 100);
    await expect(give(1)).rejects.toMatchObject({ problem: { code: 'INVALID_INPUT' } });
    expect(await sums()).toEqual([MAX_BALANCE - 100, 0, 100]);
  });
});

test('what is done already is paid for with what there is', async () => {
  const pay = () => inTransaction((tx) => spend(tx, { ownerId, credits: 70, note: 'Live session' }));
  expect([await pay(), await pay(), await pay()]).toEqual([70, 30, 0]);
  expect(await entries()).toEqual(['PLAN 100 100', 'CHARGE -70 -70', 'CHARGE -30 -30']);
});

test('a larger plan gives its difference at once, a smaller one takes nothing away, an unknown one is none', async () => {
  const choose = (id: string) => inTransaction((tx) => choosePlan(tx, ownerId, id));
  expect([await choose('team'), await choose('free'), await choose('gold')]).toEqual([true, true, false]);
  expect(await entries()).toEqual(['PLAN 100 100', 'PLAN 200 200']);
  expect(await now()).toMatchObject({ planId: 'free', balance: 300 });
});

test('an account whose plan is gone is on the first', async () => {
  await inTransaction((tx) => choosePlan(tx, ownerId, 'team'));
  await storePlans(platform.database, [PLANS[0]!]);
  expect(await now()).toMatchObject({ planId: 'free' });
  await storePlans(platform.database, null);
  expect(await now()).toMatchObject({ planId: 'free' });
  await storePlans(platform.database, PLANS);
  expect(await now()).toMatchObject({ planId: 'team' });
});

test('no entry is changed or deleted while there is the account, and no sum falls below zero', async () => {
  await now();
  const { prisma } = platform.database;
  await expect(prisma.creditEntry.updateMany({ where: { ownerId }, data: { amount: 1 } })).rejects.toThrow(
    'append-only',
  );
  await expect(prisma.creditEntry.deleteMany({ where: { ownerId } })).rejects.toThrow('append-only');
  for (const column of ['balance', 'held', 'planBalance'])
    await expect(prisma.creditAccount.update({ where: { ownerId }, data: { [column]: -1 } })).rejects.toThrow();
});
