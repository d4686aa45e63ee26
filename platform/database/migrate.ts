import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { assertSchemaCompatibility, LATEST_SCHEMA_VERSION, runMigrations, SchemaMigrationRequiredError } from 'bullmq';
import { Client } from 'pg';
import { repositoryRoot } from '../root';

export type MigrationErrorCode = 'MIGRATION_FAILED' | 'MIGRATION_EDITED' | 'MIGRATION_UNFINISHED' | 'MIGRATION_LOCKED';

/** The database cannot be brought to the state this version needs; the message says which migration and what to do. */
export class MigrationError extends Error {
  constructor(
    readonly code: MigrationErrorCode,
    readonly migration: string | null,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'MigrationError';
  }
}

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

/** The advisory lock that Prisma Migrate takes, so that its CLI and we never migrate at the same time. */
const PRISMA_LOCK = 72_707_369;
/** How long another starter may take to migrate before we give up. */
const LOCK_LIMIT_MS = 60_000;

/** Prisma Migrate's own table, as its engine creates it. */
const HISTORY_TABLE = `create table if not exists public._prisma_migrations (
  id varchar(36) primary key not null, checksum varchar(64) not null, finished_at timestamptz,
  migration_name varchar(255) not null, logs text, rolled_back_at timestamptz,
  started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`;

/**
 * Applies the migrations of `directory` that the database does not have yet, in order of their names, and resolves to
 * the names applied. Writes `_prisma_migrations` exactly as `prisma migrate deploy` does, so both can be used.
 *
 * Each migration is one transaction together with its row: whatever interrupts it, the next start finds it either done
 * or untouched. Concurrent callers wait for each other, at most 60 s. Throws {@link MigrationError}.
 */
export async function migrate(
  url: string,
  directory: string = path.join(repositoryRoot(), 'prisma/migrations'),
): Promise<string[]> {
  return withConnection(url, async (client) => {
    await lock(client);
    await client.query(HISTORY_TABLE);
    const done = await appliedChecksums(client);
    const pending = readMigrations(directory).filter((migration) => isPending(migration, done));
    for (const migration of pending) await apply(client, migration);
    return pending.map((migration) => migration.name);
  });
}

/** Brings the tables of the job queue (BullMQ's PostgreSQL backend, schema `bullmq`) up to date. One query when they are. */
export async function migrateQueue(url: string): Promise<void> {
  await withConnection(url, async (client) => {
    if ((await queueVersion(client)) < LATEST_SCHEMA_VERSION) await runMigrations(client);
  });
}

async function withConnection<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({
    connectionString: url,
    application_name: 'sauti:migrate',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => undefined); // the query under way reports it
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function queueVersion(client: Client): Promise<number> {
  try {
    return await assertSchemaCompatibility(client);
  } catch (error) {
    if (error instanceof SchemaMigrationRequiredError) return 0;
    throw error;
  }
}

/** Released with the connection. */
async function lock(client: Client): Promise<void> {
  await client.query(`set lock_timeout to ${LOCK_LIMIT_MS}`);
  try {
    await client.query('select pg_advisory_lock($1)', [PRISMA_LOCK]);
  } catch (error) {
    if ((error as { code?: string }).code !== '55P03') throw error;
    const message = `Another process has been migrating this database for more than ${LOCK_LIMIT_MS / 1000} s. Wait for it or end it, then start again.`;
    throw new MigrationError('MIGRATION_LOCKED', null, message, { cause: error });
  }
  await client.query('reset lock_timeout');
}

async function appliedChecksums(client: Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ name: string; checksum: string; finished: boolean }>(
    `select migration_name as name, checksum, finished_at is not null as finished
       from public._prisma_migrations where rolled_back_at is null order by started_at`,
  );
  const unfinished = rows.find((row) => !row.finished);
  if (unfinished) {
    throw new MigrationError(
      'MIGRATION_UNFINISHED',
      unfinished.name,
      `Migration ${unfinished.name} was begun by the Prisma CLI and did not finish. Repair the database, then run ` +
        `"npx prisma migrate resolve --rolled-back ${unfinished.name}" (or --applied) and start again.`,
    );
  }
  return new Map(rows.map((row) => [row.name, row.checksum]));
}

function readMigrations(directory: string): Migration[] {
  const file = (name: string): string => path.join(directory, name, 'migration.sql');
  return readdirSync(directory)
    .filter((name) => existsSync(file(name)))
    .sort()
    .map((name) => {
      const sql = readFileSync(file(name), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

function isPending(migration: Migration, done: Map<string, string>): boolean {
  const checksum = done.get(migration.name);
  if (checksum !== undefined && checksum !== migration.checksum) {
    throw new MigrationError(
      'MIGRATION_EDITED',
      migration.name,
      `Migration ${migration.name} was edited after this database had applied it. Restore the file and put the change into a new migration.`,
    );
  }
  return checksum === undefined;
}

async function apply(client: Client, migration: Migration): Promise<void> {
  await client.query('begin');
  try {
    await client.query('set local search_path to public');
    await client.query(migration.sql);
    await client.query(
      `insert into public._prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       values ($1, $2, $3, clock_timestamp(), 1)`,
      [randomUUID(), migration.checksum, migration.name],
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined); // the connection may be what failed
    const { message, code = 'no code', position } = error as Error & { code?: string; position?: string };
    const place = position ? ` near line ${migration.sql.slice(0, Number(position)).split('\n').length}` : '';
    throw new MigrationError(
      'MIGRATION_FAILED',
      migration.name,
      `Migration ${migration.name} failed${place}: ${message} (${code}). The database is as it was before.`,
      { cause: error },
    );
  }
}
