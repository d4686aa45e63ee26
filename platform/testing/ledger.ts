import { lockAccount } from '../credits/account';
import { grant } from '../credits/ledger';
import { newId } from '../ids';
import type { Platform } from '../platform';

/**
 * Accounts whose sums are not what their entries and unfinished jobs say, in words; none when the books are right. Look when
 * nobody writes.
 */
export async function ledgerFaults({ database }: Pick<Platform, 'database'>): Promise<string[]> {
  const rows = await database.prisma.$queryRaw<{ ownerId: string; account: string; books: string }[]>`
    with books as (
      select a.owner_id, a.balance, a.plan_balance, a.held,
             coalesce((select sum(amount) from platform.credit_entry e where e.owner_id = a.owner_id), 0) as entries,
             coalesce((select sum(plan_amount) from platform.credit_entry e where e.owner_id = a.owner_id), 0) as of_plan,
             coalesce((select sum(credits) from platform.job j where j.owner_id = a.owner_id
                        and state not in ('SUCCEEDED', 'FAILED', 'CANCELED')), 0) as reserved,
             coalesce((select sum(credits) from platform.job j where j.owner_id = a.owner_id
                        and state in ('FAILED', 'CANCELED')), 0) as lost
        from platform.credit_account a)
    select owner_id as "ownerId", concat_ws(' ', balance, plan_balance, held, 0) as account,
           concat_ws(' ', entries, of_plan, reserved, lost) as books
      from books where (balance, plan_balance, held, 0) <> (entries, of_plan, reserved, lost) or plan_balance > balance`;
  return rows.map(({ ownerId, account, books }) => `${ownerId}: the account says ${account}, the books ${books}`);
}

/** Leaves an account exactly so many credits, its plan's of this month included. */
export async function leaveCredits(
  { database }: Pick<Platform, 'database'>,
  ownerId: string,
  credits: number,
): Promise<void> {
  await database.prisma.$transaction(async (tx) => {
    const { balance } = await lockAccount(tx, ownerId);
    const about = { id: newId('crd'), note: 'for a test', actorId: newId('usr') };
    if (credits !== balance) await grant(tx, { ownerId, credits: credits - balance, ...about });
  });
}
