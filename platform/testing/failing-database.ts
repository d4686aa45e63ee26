import { sliceOf, type Database } from '../database/database';
import type { PrismaClient } from '../database/prisma-client/client';

/** A database in which one query fails, as when its connection is lost before the query arrives. */
export interface FailingDatabase extends Database {
  /** Lets the n-th query from now on fail, from 1; the end of a transaction counts as one. */
  failAt(query: number): void;
  /** From now on none fails; answers whether one has. */
  heal(): boolean;
}

export function failingDatabase(database: Database): FailingDatabase {
  let left = Infinity;
  let failed = false;
  const step = (): void => {
    if (--left !== 0) return;
    failed = true;
    throw new Error('The connection was lost.');
  };
  const prisma = countingClient(database.prisma, step);
  return {
    ...database,
    prisma,
    slice: (models) => sliceOf(prisma, models),
    failAt(query) {
      left = query;
      failed = false;
    },
    heal() {
      left = Infinity;
      return failed;
    },
  };
}

/** Takes a step before each query, in transactions as well, and before each commit. */
function countingClient(prisma: PrismaClient, step: () => void): PrismaClient {
  const counted = prisma.$extends({
    query: {
      $allOperations({ args, query }) {
        step();
        return query(args);
      },
    },
  }) as unknown as PrismaClient;
  type Work = (tx: unknown) => Promise<unknown>;
  const transaction = (work: Work, ...options: []): Promise<unknown> =>
    counted.$transaction(
      async (tx) => {
        const result = await work(tx);
        step();
        return result;
      },
      ...options,
    );
  return new Proxy(counted, {
    get: (target, name) => (name === '$transaction' ? transaction : (Reflect.get(target, name) as unknown)),
  });
}
