import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient, type Prisma } from './prisma-client/client';

type Delegates = Omit<Prisma.TransactionClient, `$${string}` | symbol>;
/** Names of all models, e.g. `'user'`. */
export type ModelName = Extract<keyof Delegates, string>;

/** The part of a transaction that platform functions (events, jobs, idempotency keys) work with. */
export type PlatformTransaction = Pick<
  Prisma.TransactionClient,
  | '$queryRaw'
  | '$executeRaw'
  | 'job'
  | 'jobOutbox'
  | 'storedObject'
  | 'idempotencyKey'
  | 'eventConsumer'
  | 'creditAccount'
  | 'creditEntry'
  | 'creditPlan'
  | 'mail'
>;

/** A transaction as one slice sees it: its own models and the platform's. */
export type SliceTransaction<Model extends ModelName> = Pick<Prisma.TransactionClient, Model> & PlatformTransaction;

/**
 * The database as one slice sees it: a query for another slice's model does not compile, and is not there at run time.
 */
export type SliceDatabase<Model extends ModelName> = Pick<PrismaClient, Model> & {
  /** One statement, which is a transaction of its own: a single round trip. */
  $queryRaw: PlatformTransaction['$queryRaw'];
  /** Runs `work` in one transaction; what it throws rolls everything back and is rethrown. Waits at most 5 s for a connection. */
  transaction<Result>(work: (tx: SliceTransaction<Model>) => Promise<Result>): Promise<Result>;
  /** Like `transaction`, but all queries see one moment of the database (REPEATABLE READ), and it cannot write. */
  momentOf<Result>(work: (tx: SliceTransaction<Model>) => Promise<Result>): Promise<Result>;
};

export interface Database {
  /** Connection string, for the few places that need a connection of their own (LISTEN, BullMQ). */
  readonly url: string;
  readonly prisma: PrismaClient;
  slice<Model extends ModelName>(models: readonly Model[]): SliceDatabase<Model>;
  /** Resolves when a query succeeds. */
  ping(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A transaction that its process leaves idle for this long is ended by the server: a frozen process must not keep its locks. */
export const IDLE_IN_TRANSACTION_MS = 5_000;

/**
 * Opens a pool of at most `poolSize` connections; the first query connects. A statement may take 15 s, a connection 5 s,
 * and a transaction may be idle for {@link IDLE_IN_TRANSACTION_MS}.
 */
export function openDatabase(options: { url: string; poolSize?: number; applicationName: string }): Database {
  const adapter = new PrismaPg({
    connectionString: options.url,
    max: options.poolSize ?? 10,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 15_000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    application_name: options.applicationName,
    keepAlive: true,
  });
  const prisma = new PrismaClient({ adapter, transactionOptions: { maxWait: 5_000, timeout: 15_000 } });
  return {
    url: options.url,
    prisma,
    slice: (models) => sliceOf(prisma, models),
    ping: async () => void (await prisma.$queryRaw`select 1`),
    [Symbol.asyncDispose]: () => prisma.$disconnect(),
  };
}

/** What {@link Database.slice} answers, on a client. */
export function sliceOf<Model extends ModelName>(prisma: PrismaClient, models: readonly Model[]): SliceDatabase<Model> {
  const delegates = Object.fromEntries(models.map((model) => [model, prisma[model]])) as unknown as Pick<
    PrismaClient,
    Model
  >;
  const transaction: SliceDatabase<Model>['transaction'] = (work) =>
    // The transaction client holds every model; its type shows the slice only its own.
    prisma.$transaction((tx) => work(tx as unknown as SliceTransaction<Model>));
  return {
    ...delegates,
    $queryRaw: (query, ...values: unknown[]) => prisma.$queryRaw(query, ...values),
    transaction,
    momentOf: (work) =>
      transaction(async (tx) => {
        await tx.$executeRaw`set transaction isolation level repeatable read, read only`;
        return work(tx);
      }),
  };
}

/** True when a write broke a unique constraint (Prisma's P2002). */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === 'P2002';
}

/**
 * True when PostgreSQL ended the transaction in favour of another one (SQLSTATE 40P01 deadlock, 40001 serialization
 * failure; Prisma's P2034): nothing was written, and the same again may succeed.
 */
export function isWriteConflict(error: unknown): boolean {
  // A model's query tells it as P2034, a raw one as P2010 around what the driver adapter has said, the commit as that itself.
  for (let current: unknown = error; typeof current === 'object' && current !== null;) {
    const { code, originalCode, meta, cause } = current as {
      code?: unknown;
      originalCode?: unknown;
      meta?: { driverAdapterError?: unknown };
      cause?: unknown;
    };
    if (code === 'P2034' || originalCode === '40P01' || originalCode === '40001') return true;
    current = cause ?? meta?.driverAdapterError;
  }
  return false;
}
