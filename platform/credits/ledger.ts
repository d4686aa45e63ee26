import type { PlatformTransaction } from '../database/database';
import { UserProblemError } from '../errors';
import { lockAccount, move, type CreditAccount, type CreditEntry, type LockedAccount } from './account';

/** The most an account may have been given; sums stay within the graph's Int with room for what plans give. */
export const MAX_BALANCE = 1_000_000_000;

/** The account has fewer credits than something costs. */
export class InsufficientCredits extends UserProblemError<'INSUFFICIENT_CREDITS'> {
  constructor(credits: number, balance: number) {
    const message = `This takes ${credits} credits, and ${balance} are left: ${credits - balance} are missing.`;
    super({ code: 'INSUFFICIENT_CREDITS', message });
    this.name = 'InsufficientCredits';
  }
}

/** A job as the ledger knows it. */
interface PaidJob {
  ownerId: string;
  jobId: string;
}

/**
 * Reserves credits for a job, those of the plan first, because they expire. Throws {@link InsufficientCredits}. Locks the
 * account even when nothing is to be reserved: see {@link lockAccount}.
 */
export async function hold(
  tx: PlatformTransaction,
  { ownerId, jobId, credits }: PaidJob & { credits: number },
): Promise<void> {
  await holdMore(tx, await lockAccount(tx, ownerId), jobId, credits);
}

/** Makes what is reserved for a job as much as it costs by now: takes more, or gives the rest back. Throws {@link InsufficientCredits}. */
export async function adjustHold(
  tx: PlatformTransaction,
  { ownerId, jobId, credits }: PaidJob & { credits: number },
): Promise<void> {
  const account = await lockAccount(tx, ownerId);
  const held = await heldFor(tx, { ownerId, jobId });
  if (credits > held.credits) return holdMore(tx, account, jobId, credits - held.credits);
  await giveBack(tx, account, jobId, { credits: held.credits - credits, held });
}

/** Spends what is reserved for a job. */
export async function charge(tx: PlatformTransaction, job: PaidJob): Promise<void> {
  const account = await lockExisting(tx, job.ownerId);
  const { credits } = await heldFor(tx, job);
  if (account && credits > 0)
    await move(tx, account, { reason: 'CHARGE', amount: 0, planAmount: 0, held: -credits, jobId: job.jobId });
}

/** Gives back what is reserved for a job: credits of the plan to what is left of the plan's, the others to the others. */
export async function release(tx: PlatformTransaction, job: PaidJob): Promise<void> {
  const account = await lockExisting(tx, job.ownerId);
  const held = await heldFor(tx, job);
  if (account) await giveBack(tx, account, job.jobId, { credits: held.credits, held });
}

/**
 * Gives credits, or with `credits` below zero takes them away, as many as there are; those that were given go before those
 * of the plan. Throws INVALID_INPUT above {@link MAX_BALANCE}.
 */
export async function grant(
  tx: PlatformTransaction,
  { ownerId, credits, ...about }: { ownerId: string; credits: number; id: string; note: string; actorId: string },
): Promise<CreditEntry> {
  const account = await lockAccount(tx, ownerId);
  if (credits > 0 && account.balance + account.held + credits > MAX_BALANCE) {
    const message = `An account has at most ${MAX_BALANCE} credits; this one would have more.`;
    throw new UserProblemError({ code: 'INVALID_INPUT', message, path: ['input', 'credits'] });
  }
  const amount = Math.max(credits, -account.balance);
  const given = account.balance - account.planBalance;
  return move(tx, account, { reason: 'GRANT', amount, planAmount: Math.min(0, amount + given), ...about });
}

/** Spends credits for work that is done, as many as there are; answers how many. */
export async function spend(
  tx: PlatformTransaction,
  { ownerId, credits, note }: { ownerId: string; credits: number; note: string },
): Promise<number> {
  const account = await lockAccount(tx, ownerId);
  const spent = Math.min(credits, account.balance);
  if (spent > 0) {
    const planAmount = -Math.min(spent, account.planBalance);
    await move(tx, account, { reason: 'CHARGE', amount: -spent, planAmount, note });
  }
  return spent;
}

interface Held {
  credits: number;
  /** How many of them came from the plan. */
  fromPlan: number;
}

/** What the entries say that is reserved; nothing where account and entries are gone. */
async function heldFor(tx: PlatformTransaction, { ownerId, jobId }: PaidJob): Promise<Held> {
  const { _sum: sum } = await tx.creditEntry.aggregate({
    where: { ownerId, jobId },
    _sum: { amount: true, planAmount: true },
  });
  return { credits: -(sum.amount ?? 0), fromPlan: -(sum.planAmount ?? 0) };
}

async function holdMore(
  tx: PlatformTransaction,
  account: LockedAccount,
  jobId: string,
  credits: number,
): Promise<void> {
  if (credits > account.balance) throw new InsufficientCredits(credits, account.balance);
  if (credits === 0) return;
  const planAmount = -Math.min(credits, account.planBalance);
  await move(tx, account, { reason: 'HOLD', amount: -credits, planAmount, held: credits, jobId });
}

/** Those of the plan last: the others do not expire. */
async function giveBack(
  tx: PlatformTransaction,
  account: Pick<LockedAccount, 'ownerId' | 'balance' | 'held' | 'planBalance'>,
  jobId: string,
  { credits, held }: { credits: number; held: Held },
): Promise<void> {
  if (credits === 0) return;
  const others = Math.min(credits, held.credits - held.fromPlan);
  await move(tx, account, { reason: 'RELEASE', amount: credits, planAmount: credits - others, held: -credits, jobId });
}

/** Null for an account that was deleted meanwhile: the job ends all the same. */
async function lockExisting(tx: PlatformTransaction, ownerId: string): Promise<CreditAccount | null> {
  await tx.$queryRaw`select 1 from platform.credit_account where owner_id = ${ownerId} for update`;
  return tx.creditAccount.findUnique({ where: { ownerId } });
}
