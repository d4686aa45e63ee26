import type { PlatformTransaction } from '../database/database';
import type { CreditAccount, CreditEntry, CreditReason } from '../database/prisma-client/client';
import type { EventLog } from '../events/event-log';
import { newId } from '../ids';
import { viewerTopic } from '../identity/viewer-topic';

export type { CreditAccount, CreditEntry, CreditReason };

/** An account whose row is locked until the transaction ends. */
export interface LockedAccount extends Pick<CreditAccount, 'ownerId' | 'balance' | 'held' | 'planBalance'> {
  /** The plan that counts: the account's own, or the first where that one is gone. */
  planId: string;
  monthlyCredits: number;
}

/** One movement of credits. */
export interface Movement {
  /** The entry's; default: a new one. */
  id?: string;
  reason: CreditReason;
  /** What the balance rises by. */
  amount: number;
  /** How much of it are credits of the plan. */
  planAmount: number;
  /** What `held` rises by; default 0. */
  held?: number;
  jobId?: string;
  note?: string;
  actorId?: string | null;
}

interface Row extends LockedAccount {
  periodAt: Date | null;
  monthAt: Date;
}

/**
 * Locks the owner's account, which is opened on the first call, and gives it the plan's credits of this month (UTC, by the
 * database's clock) if it has not had them: what was left of the last month's expires.
 *
 * Locks are always taken in this order, so that no two transactions wait for each other: jobs, topics of transcripts,
 * accounts, the other topics of events. One that begins several jobs of which one has a price therefore locks the account
 * with the first.
 */
export async function lockAccount(tx: PlatformTransaction, ownerId: string): Promise<LockedAccount> {
  const [row] = await tx.$queryRaw<Row[]>`
    with locked as (
      insert into platform.credit_account (owner_id) values (${ownerId})
          on conflict (owner_id) do update set owner_id = excluded.owner_id returning *)
    select locked.owner_id as "ownerId", locked.balance, locked.held, locked.plan_balance as "planBalance",
           locked.period_at as "periodAt", date_trunc('month', now(), 'UTC') as "monthAt",
           coalesce(plan.id, locked.plan_id) as "planId", coalesce(plan.monthly_credits, 0) as "monthlyCredits"
      from locked left join lateral (
        select * from platform.credit_plan p order by p.id = locked.plan_id desc, p.position limit 1) plan on true`;
  return renew(tx, row!);
}

/** Writes the entry and moves the account's sums, which it changes in `account`, too. */
export async function move(
  tx: PlatformTransaction,
  account: Pick<LockedAccount, 'ownerId' | 'balance' | 'held' | 'planBalance'>,
  movement: Movement,
): Promise<CreditEntry> {
  const { id = newId('crd'), held = 0, amount, planAmount, ...rest } = movement;
  account.balance += amount;
  account.planBalance += planAmount;
  account.held += held;
  const { ownerId, balance, planBalance } = account;
  await tx.creditAccount.update({ where: { ownerId }, data: { balance, planBalance, held: account.held } });
  return tx.creditEntry.create({ data: { id, ownerId, amount, planAmount, ...rest } });
}

/** Tells the owner's devices that credits have moved; behind the events of jobs, before those of access. */
export async function announceCredits(tx: PlatformTransaction, events: EventLog, ownerId: string): Promise<void> {
  await events.append(tx, viewerTopic(ownerId), { reason: 'CREDITS' });
}

async function renew(tx: PlatformTransaction, { periodAt, monthAt, ...account }: Row): Promise<LockedAccount> {
  if (periodAt !== null && periodAt >= monthAt) return account;
  const left = account.planBalance;
  if (left > 0) await move(tx, account, { reason: 'EXPIRY', amount: -left, planAmount: -left });
  const given = account.monthlyCredits;
  if (given > 0) await move(tx, account, { reason: 'PLAN', amount: given, planAmount: given });
  await tx.creditAccount.update({ where: { ownerId: account.ownerId }, data: { periodAt: monthAt } });
  return account;
}
