import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { type Cluster, readSecret } from './cluster';
import { EmbeddedPostgresError, USE_YOUR_OWN } from './errors';
import { adopt, launch } from './launch';
import { isServerOf, readPostmaster } from './postmaster';

export interface LeaseOptions {
  settings?: Record<string, string> | undefined;
  /** Told what happened when the server had to be started again or given a new watchdog. */
  report: (message: string) => void;
}

/** Crash recovery of a large write-ahead log is the longest a start can take; initdb needs a few seconds. */
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 60_000;
const CHECK_EVERY_MS = 25;
const RETRY_AFTER_MS = 2_000;
const LOOK_FOR_WATCHDOG_EVERY_MS = 2_000;
/** Advisory lock that makes leaseholders leave one after the other ("SAUL" in ASCII), so that the last one knows it is. */
const LEAVE_LOCK = 0x5341554c;

/**
 * This process's claim that the server be there: a connection named `sauti:lease`, which is how the watchdog tells that
 * somebody needs the server. While it is held, a server that dies is started again on the same port, and a watchdog
 * that dies is replaced.
 */
export class Lease {
  private readonly leaving = new AbortController();
  private client: Client | undefined;
  private recovery: Promise<void> | undefined;
  private released: Promise<void> | undefined;
  private readonly looking: NodeJS.Timeout;
  private looksWithoutWatchdog = 0;

  private constructor(
    private readonly cluster: Cluster,
    private readonly options: LeaseOptions,
    readonly port: number,
    client: Client,
  ) {
    this.attach(client);
    this.looking = setInterval(() => void this.lookForWatchdog(), LOOK_FOR_WATCHDOG_EVERY_MS);
    this.looking.unref();
  }

  /** Connects to the server that runs on the cluster, starting one if none does. */
  static async take(cluster: Cluster, options: LeaseOptions): Promise<Lease> {
    const { client, port } = (await reachServer(cluster, { settings: options.settings }))!;
    return new Lease(cluster, options, port, client);
  }

  /**
   * Gives the claim up. The last leaseholder stops the server and waits until it is gone, so that the data directory
   * may be copied or deleted afterwards; throws STOP_TIMED_OUT after 60 s. Later calls wait for the first.
   */
  release(): Promise<void> {
    return (this.released ??= this.leave());
  }

  private async leave(): Promise<void> {
    this.leaving.abort();
    clearInterval(this.looking);
    await this.recovery;
    const client = this.client;
    if (!client) return;
    keepAlive(client, true);
    try {
      if (await isLast(client)) return await stopServer(this.cluster);
      // The name goes before the connection does: the next one to leave must not count us.
      await client.query(`set application_name to 'sauti:left'`);
    } catch (error) {
      // Whoever left at the same moment has stopped the server under us; that is what we wanted.
      if (!isTransient(error)) throw error;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  private attach(client: Client): void {
    this.client = client;
    const lost = (): void => {
      if (this.client !== client) return;
      this.client = undefined;
      if (!this.leaving.signal.aborted) this.recovery = this.recover();
    };
    client.on('error', lost);
    client.on('end', lost);
    // A process that has nothing else to do may end without saying so; its lease then ends with it.
    keepAlive(client, false);
  }

  private async recover(): Promise<void> {
    this.options.report('The embedded PostgreSQL has gone away; starting it again.');
    const { signal } = this.leaving;
    do {
      try {
        const reached = await reachServer(this.cluster, { port: this.port, settings: this.options.settings, signal });
        if (!reached) return;
        this.attach(reached.client);
        return this.options.report('The embedded PostgreSQL is back.');
      } catch (error) {
        this.options.report(`The embedded PostgreSQL could not be started again: ${(error as Error).message}`);
        await sleep(RETRY_AFTER_MS, undefined, { ref: false, signal }).catch(() => undefined);
      }
    } while (!signal.aborted);
  }

  /** Twice nothing in a row, because a watchdog that has just started may not have connected yet. */
  private async lookForWatchdog(): Promise<void> {
    try {
      const answer = await this.client?.query(
        `select 1 from pg_stat_activity where application_name = 'sauti:watchdog'`,
      );
      if (!answer || answer.rowCount) return void (this.looksWithoutWatchdog = 0);
      if (++this.looksWithoutWatchdog < 2) return;
      this.looksWithoutWatchdog = 0;
      await adopt(this.cluster);
      this.options.report('The watchdog of the embedded PostgreSQL was gone; a new one has taken over.');
    } catch (error) {
      if (!isTransient(error))
        this.options.report(`The embedded PostgreSQL has no watchdog: ${(error as Error).message}`);
    }
  }
}

interface ReachOptions {
  port?: number;
  settings?: Record<string, string> | undefined;
  /** Once aborted, a server that is there is still waited for, but none is started: resolves to null. */
  signal?: AbortSignal;
}

async function reachServer(cluster: Cluster, options: ReachOptions): Promise<{ client: Client; port: number } | null> {
  const deadlineAt = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadlineAt) {
    const postmaster = readPostmaster(cluster.data);
    if (postmaster?.ready) {
      const client = await tryConnect(cluster, postmaster.port);
      if (client) return checkPort(cluster, client, postmaster.port, options.port);
    }
    if (!postmaster && options.signal?.aborted) return null;
    if (!postmaster) await launch(cluster, options);
    await sleep(CHECK_EVERY_MS);
  }
  throw new EmbeddedPostgresError(
    'START_FAILED',
    `The embedded PostgreSQL in ${cluster.directory} was not ready within ${START_LIMIT_MS / 1000} s; it may still be recovering. Its log is ${cluster.log}.`,
  );
}

async function tryConnect(cluster: Cluster, port: number): Promise<Client | null> {
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: readSecret(cluster),
    database: 'postgres',
    application_name: 'sauti:lease',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    ssl: false,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    if (isTransient(error)) return null;
    throw new EmbeddedPostgresError(
      'NOT_ACCESSIBLE',
      `The server on port ${port} does not let us in (${(error as Error).message}), although ${cluster.data} says that it is ours. Stop it, ${USE_YOUR_OWN}.`,
      { cause: error },
    );
  }
}

async function checkPort(
  cluster: Cluster,
  client: Client,
  port: number,
  wanted: number | undefined,
): Promise<{ client: Client; port: number }> {
  if (wanted === undefined || wanted === port) return { client, port };
  await client.end();
  throw new EmbeddedPostgresError(
    'PORT_TAKEN',
    `The database in ${cluster.directory} came back on port ${port}, but this process uses port ${wanted}, which another program has taken. Restart Sauti.`,
  );
}

async function isLast(client: Client): Promise<boolean> {
  await client.query('select pg_advisory_lock($1)', [LEAVE_LOCK]);
  const { rowCount } = await client.query(
    `select 1 from pg_stat_activity where application_name = 'sauti:lease' and pid <> pg_backend_pid() limit 1`,
  );
  return rowCount === 0;
}

/** "Fast shutdown" (SIGINT): open transactions are rolled back and everything is on disk when the process is gone. */
async function stopServer(cluster: Cluster): Promise<void> {
  const postmaster = readPostmaster(cluster.data);
  if (!postmaster) return;
  process.kill(postmaster.pid, 'SIGINT');
  const deadlineAt = Date.now() + STOP_LIMIT_MS;
  // The pid file is removed a moment before the process ends.
  while (isServerOf(cluster.data, postmaster.pid)) {
    if (Date.now() > deadlineAt) {
      throw new EmbeddedPostgresError(
        'STOP_TIMED_OUT',
        `The embedded PostgreSQL (process ${postmaster.pid}) did not stop within ${STOP_LIMIT_MS / 1000} s. Its log is ${cluster.log}.`,
      );
    }
    await sleep(CHECK_EVERY_MS);
  }
}

/** Whether the connection alone keeps the process running; `ref` and `unref` are missing in pg's types. */
function keepAlive(client: Client, yes: boolean): void {
  const handle = client as Client & { ref(): void; unref(): void };
  if (yes) handle.ref();
  else handle.unref();
}

/** SQLSTATE 57P01–03: shutting down, crashed, starting up; 53300: no connection left; the rest: nobody answers (yet). */
function isTransient(error: unknown): boolean {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  return (
    /^(57P0[123]|53300|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT)$/.test(code) ||
    /Connection terminated|timeout expired|Client was closed|not queryable/i.test(message)
  );
}
