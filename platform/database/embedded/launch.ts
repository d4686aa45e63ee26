import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repositoryRoot } from '../../root';
import { type Binaries, findBinaries } from './binaries';
import { type Cluster, initialiseCluster, readSecret, serverEnvironment } from './cluster';
import { explainFailure, explainSystemError } from './errors';
import { sharedFolder } from './location';
import { isAlive, readPostmaster, removeStalePidFile } from './postmaster';

/** How a server is to be run. */
export interface LaunchOptions {
  /** The port somebody already relies on; without it the last one is used again if it is free, else a new one. */
  port?: number | undefined;
  /** Server parameters (`postgres -c name=value`) beside Sauti's own. */
  settings?: Record<string, string> | undefined;
}

/** Below the range that systems give to outgoing connections, so no client's own socket can sit on our port. */
const PORTS = { first: 21_000, last: 29_999 };
/** Enough for an initdb and a start on a busy machine; older locks belong to a process that was frozen. */
const LOCK_EXPIRES_MS = 120_000;
const LOG_LIMIT_BYTES = 5_000_000;
const CHECK_EVERY_MS = 25;

/**
 * Starts a server (creating the data directory first if need be) unless another process is doing so right now, and
 * resolves when it is ready, when it is seen to be somebody else's, or when there is nothing to do.
 * Throws EmbeddedPostgresError when it cannot start.
 */
export async function launch(cluster: Cluster, options: LaunchOptions): Promise<void> {
  await withLaunchLock(cluster, async () => {
    if (readPostmaster(cluster.data)) return;
    const { initdb, postgres } = installedBinaries(cluster);
    await initialiseCluster(cluster, initdb);
    removeStalePidFile(cluster.data);
    trimLog(cluster);
    await startServer(cluster, postgres, options);
  });
}

/** Gives a running server that has lost its watchdog a new one. */
export async function adopt(cluster: Cluster): Promise<void> {
  await withLaunchLock(cluster, async () => {
    const postmaster = readPostmaster(cluster.data);
    if (postmaster) spawnWatchdog(cluster, postmaster.port, { adoptPid: postmaster.pid });
  });
}

function installedBinaries(cluster: Cluster): Binaries {
  try {
    return findBinaries(cluster.account, cluster.account ? sharedFolder() : cluster.directory);
  } catch (error) {
    throw explainSystemError(error, cluster.directory);
  }
}

async function startServer(cluster: Cluster, postgres: string, options: LaunchOptions): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await choosePort(cluster));
    const logStart = existsSync(cluster.log) ? statSync(cluster.log).size : 0;
    const watchdog = spawnWatchdog(cluster, port, { postgres, settings: options.settings ?? {} });
    if (await becomesReady(cluster, watchdog)) return writeFileSync(portFile(cluster), `${port}\n`);
    const output = readFileSync(cluster.log).subarray(logStart).toString();
    if (/lock file "postmaster.pid" already exists/.test(output)) return;
    const error = explainFailure(output, { directory: cluster.directory, port });
    if (attempt === 5) throw error;
    // The children of a server that was killed need a moment to notice; until then its shared memory is in use.
    if (/pre-existing shared memory block/.test(output)) await sleep(200);
    // Somebody took the port between our look at it and the server's. Clients hold a required port, so insist on it.
    else if (error.code === 'PORT_TAKEN' && options.port) await sleep(500);
    else if (error.code === 'PORT_TAKEN') rmSync(portFile(cluster), { force: true });
    else throw error;
  }
}

function spawnWatchdog(
  cluster: Cluster,
  port: number,
  task: { postgres: string; settings: Record<string, string> } | { adoptPid: number },
): ChildProcess {
  const log = openSync(cluster.log, 'a', 0o600);
  try {
    const instructions = {
      ...task,
      data: cluster.data,
      port,
      secret: readSecret(cluster),
      ...(cluster.account && { uid: cluster.account.uid, gid: cluster.account.gid }),
    };
    // A session of its own: Ctrl-C in the terminal must reach the services first, and their database last.
    const watchdog = spawn(process.execPath, [path.join(repositoryRoot(), 'platform/database/embedded/watchdog.cjs')], {
      cwd: '/',
      detached: true,
      env: serverEnvironment(),
      stdio: ['pipe', log, log],
    });
    watchdog.stdin!.on('error', () => undefined).end(JSON.stringify(instructions));
    watchdog.unref();
    return watchdog;
  } finally {
    closeSync(log);
  }
}

async function becomesReady(cluster: Cluster, watchdog: ChildProcess): Promise<boolean> {
  let failure: Error | undefined;
  watchdog.once('error', (error) => (failure = error));
  while (watchdog.exitCode === null && watchdog.signalCode === null) {
    if (failure) throw explainSystemError(failure, cluster.directory);
    if (readPostmaster(cluster.data)?.ready) return true;
    await sleep(CHECK_EVERY_MS);
  }
  return false;
}

async function choosePort(cluster: Cluster): Promise<number> {
  const last = existsSync(portFile(cluster)) ? Number(readFileSync(portFile(cluster), 'utf8')) : NaN;
  if (last > 0 && (await isFree(last))) return last;
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * (PORTS.last - PORTS.first + 1));
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

function portFile(cluster: Cluster): string {
  return path.join(cluster.directory, 'port');
}

function trimLog(cluster: Cluster): void {
  if (existsSync(cluster.log) && statSync(cluster.log).size > LOG_LIMIT_BYTES)
    renameSync(cluster.log, `${cluster.log}.old`);
}

/**
 * Runs `work` unless another live process is at it. The lock only saves work (several processes start at once, and
 * initdb is expensive); that there is never more than one server is PostgreSQL's own promise.
 */
async function withLaunchLock(cluster: Cluster, work: () => Promise<void>): Promise<void> {
  const lock = path.join(cluster.directory, 'launch.lock');
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw explainSystemError(error, cluster.directory);
    if (isAbandoned(lock)) rmSync(lock, { force: true });
    return;
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function isAbandoned(lock: string): boolean {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    const ageMs = Date.now() - statSync(lock).mtimeMs;
    // An empty file is one that its writer has only just created.
    return ageMs > LOCK_EXPIRES_MS || (pid > 0 && !isAlive(pid)) || (pid === 0 && ageMs > 1_000);
  } catch {
    return false;
  }
}
