import type { Database, PlatformTransaction } from '../database/database';
import type { CreditPlan } from '../database/prisma-client/client';
import { lockAccount, move } from './account';

/** What an account can be on. */
export interface Plan {
  id: string;
  /** For people. */
  name: string;
  /** Given at the beginning of each month (UTC); what is left of them then is lost. */
  monthlyCredits: number;
  /** Jobs of one account that are handed to workers at once. */
  maxConcurrentJobs: number;
}

/** Where the operator has set none: about 166 hours of recordings a month for nothing, and two that are larger. */
export const BUILT_IN_PLANS: readonly Plan[] = [
  { id: 'free', name: 'Free', monthlyCredits: 10_000, maxConcurrentJobs: 2 },
  { id: 'team', name: 'Team', monthlyCredits: 100_000, maxConcurrentJobs: 8 },
  { id: 'business', name: 'Business', monthlyCredits: 1_000_000, maxConcurrentJobs: 32 },
];

/**
 * Writes what accounts can be on into the database, where all processes find the same. Plans that the operator has set
 * replace those of before; without any (null) those of before stay, or the built-in ones are written first.
 */
export async function storePlans({ prisma }: Pick<Database, 'prisma'>, plans: readonly Plan[] | null): Promise<void> {
  await prisma.$transaction(async (tx) => {
    await tx.$executeRaw`select pg_advisory_xact_lock(hashtext('platform.credit_plan'))`;
    const stored = await plansOf(tx);
    const wanted = plans ?? (stored.length > 0 ? stored : BUILT_IN_PLANS);
    const rows = wanted.map((plan, position) => ({ ...plan, position }));
    if (JSON.stringify(rows.map(asPlan)) === JSON.stringify(stored.map(asPlan))) return;
    await tx.creditPlan.deleteMany();
    await tx.creditPlan.createMany({ data: rows });
  });
}

/** From the smallest to the largest. */
export function plansOf(tx: Pick<PlatformTransaction, 'creditPlan'>): Promise<CreditPlan[]> {
  return tx.creditPlan.findMany({ orderBy: { position: 'asc' } });
}

/**
 * Puts an account on a plan; false when there is no such plan. It counts at once: a plan with more credits gives the
 * difference for this month, one with fewer takes nothing away before the next.
 */
export async function choosePlan(tx: PlatformTransaction, ownerId: string, planId: string): Promise<boolean> {
  const plan = await tx.creditPlan.findUnique({ where: { id: planId } });
  if (!plan) return false;
  const account = await lockAccount(tx, ownerId);
  await tx.creditAccount.update({ where: { ownerId }, data: { planId } });
  const more = plan.monthlyCredits - account.monthlyCredits;
  if (more > 0) await move(tx, account, { reason: 'PLAN', amount: more, planAmount: more });
  return true;
}

function asPlan({ id, name, monthlyCredits, maxConcurrentJobs }: Plan): Plan {
  return { id, name, monthlyCredits, maxConcurrentJobs };
}
