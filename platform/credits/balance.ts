import type { PlatformTransaction } from '../database/database';
import { lockAccount, type LockedAccount } from './account';

/** What an account has now. The month's credits are given on the first look, so it needs a transaction that may write. */
export async function balanceOf(tx: PlatformTransaction, ownerId: string): Promise<LockedAccount> {
  return (await readCurrent(tx, ownerId)) ?? lockAccount(tx, ownerId);
}

/** Null when the month's credits are still to be given: only then a look has to lock and write. */
async function readCurrent(tx: PlatformTransaction, ownerId: string): Promise<LockedAccount | null> {
  const [row] = await tx.$queryRaw<LockedAccount[]>`
    select a.owner_id as "ownerId", a.balance, a.held, a.plan_balance as "planBalance",
           coalesce(plan.id, a.plan_id) as "planId", coalesce(plan.monthly_credits, 0) as "monthlyCredits"
      from platform.credit_account a left join lateral (
        select * from platform.credit_plan p order by p.id = a.plan_id desc, p.position limit 1) plan on true
     where a.owner_id = ${ownerId} and a.period_at >= date_trunc('month', now(), 'UTC')`;
  return row ?? null;
}
