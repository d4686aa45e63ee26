import { balanceOf } from '../../../platform/credits/balance';
import type { CreditEntry } from '../../../platform/credits/account';
import { plansOf } from '../../../platform/credits/plans';
import type { CreditPlan } from '../../../platform/database/prisma-client/client';
import type { UsersDatabase, UsersTransaction } from '../records';

export type CreditEntryRow = CreditEntry;
export type PlanRow = CreditPlan;

/** An account's credits at one moment. */
export interface CreditState {
  ownerId: string;
  /** What can be spent. */
  balance: number;
  /** What is reserved for jobs, and not in `balance`. */
  held: number;
  /** The plan that counts. */
  planId: string;
}

/** What an account used; see the graph's type of this name. */
export interface Usage {
  transcribedMs: bigint;
  translatedCharacters: bigint;
  creditsSpent: number;
  jobs: number;
  storedBytes: bigint;
}

/** Queries for credits, plans and what was used. */
export class CreditRecords {
  constructor(private readonly database: UsersDatabase) {}

  transaction<Result>(work: (tx: UsersTransaction) => Promise<Result>): Promise<Result> {
    return this.database.transaction(work);
  }

  state(ownerId: string): Promise<CreditState> {
    return this.transaction((tx) => balanceOf(tx, ownerId));
  }

  plans(): Promise<PlanRow[]> {
    return this.transaction(plansOf);
  }

  /** Newest first, behind the position `before`. */
  entries(ownerId: string, take: number, before: bigint | null): Promise<CreditEntryRow[]> {
    return this.transaction((tx) =>
      tx.creditEntry.findMany({
        where: { ownerId, ...(before === null ? {} : { position: { lt: before } }) },
        orderBy: { position: 'desc' },
        take,
      }),
    );
  }

  entry(tx: UsersTransaction, id: string): Promise<CreditEntryRow> {
    return tx.creditEntry.findUniqueOrThrow({ where: { id } });
  }

  async hasUser(tx: UsersTransaction, id: string): Promise<boolean> {
    return (await tx.user.count({ where: { id } })) > 0;
  }

  /** Of jobs that succeeded in `[from, to)`, and of the live sessions that ended then; files as they are now. */
  async usage(ownerId: string, { from, to }: { from: Date; to: Date }): Promise<Usage> {
    const [row] = await this.database.$queryRaw<Usage[]>`
      with done as (
        select kind, size, credits from platform.job
         where owner_id = ${ownerId} and state = 'SUCCEEDED' and finished_at >= ${from} and finished_at < ${to})
      select coalesce(sum(size) filter (where kind in ('TRANSCRIBE', 'REFINE_TRANSCRIPT')), 0)::bigint as "transcribedMs",
             coalesce(sum(size) filter (where kind = 'TRANSLATE_TRANSCRIPT'), 0)::bigint as "translatedCharacters",
             least(coalesce(sum(credits), 0) + (
               select coalesce(-sum(amount), 0) from platform.credit_entry
                where owner_id = ${ownerId} and reason = 'CHARGE' and created_at >= ${from} and created_at < ${to}),
               2147483647)::int as "creditsSpent",
             count(*)::int as jobs,
             (select coalesce(sum(size_bytes), 0)::bigint from platform.object where owner_id = ${ownerId}) as "storedBytes"
        from done`;
    return row!;
  }
}
