import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type Account, serverAccount } from './account';
import { EmbeddedPostgresError, explainFailure, explainSystemError, USE_YOUR_OWN } from './errors';
import { dataFolder } from './location';

/** A PostgreSQL data directory and everything needed to run a server on it. */
export interface Cluster {
  /** Holds `cluster/` (PostgreSQL's own data directory), `postgres.log`, `port` and `launch.lock`. */
  directory: string;
  data: string;
  log: string;
  /** Whom a server must run as; null for whoever we are. */
  account: Account | null;
}

/** The name of the file inside the data directory that holds the password of the `postgres` role. */
const SECRET_FILE = 'sauti-secret';

/** Finds (or decides) where the data are. Creates folders, starts nothing. */
export function openCluster(dataDir: string): Cluster {
  try {
    const account = serverAccount();
    // One folder, one spelling: the command line of a running server is compared with it.
    const directory = realpathSync(dataFolder(path.resolve(dataDir), account));
    return { directory, data: path.join(directory, 'cluster'), log: path.join(directory, 'postgres.log'), account };
  } catch (error) {
    throw explainSystemError(error, dataDir);
  }
}

/** The password of the `postgres` role; only the owner of the data can read it. */
export function readSecret(cluster: Cluster): string {
  try {
    return readFileSync(path.join(cluster.data, SECRET_FILE), 'utf8');
  } catch (error) {
    throw explainSystemError(error, cluster.directory);
  }
}

/** The environment of PostgreSQL's programs: nothing of ours, so that no PG* variable changes what they do. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };
}

/**
 * Creates the data directory unless it is there. It is built under another name and renamed, together with its secret,
 * so an interrupted attempt leaves nothing that looks like a database.
 */
export async function initialiseCluster(cluster: Cluster, initdb: string): Promise<void> {
  if (existsSync(path.join(cluster.data, 'PG_VERSION'))) return;
  for (const left of readdirSync(cluster.directory)) {
    if (left.startsWith('cluster.new-')) rmSync(path.join(cluster.directory, left), { recursive: true, force: true });
  }
  const building = `${cluster.data}.new-${process.pid}-${randomBytes(3).toString('hex')}`;
  try {
    await runInitdb(cluster, initdb, building);
    renameSync(building, cluster.data);
  } catch (error) {
    rmSync(building, { recursive: true, force: true });
    if (!existsSync(path.join(cluster.data, 'PG_VERSION'))) throw explainSystemError(error, cluster.directory);
  }
}

async function runInitdb(cluster: Cluster, initdb: string, folder: string): Promise<void> {
  const secret = randomBytes(24).toString('hex');
  const passwordFile = `${folder}.password`;
  mkdirSync(folder, { mode: 0o700 });
  try {
    writeFileSync(passwordFile, secret, { mode: 0o600 });
    give(cluster, folder, passwordFile);
    // The builtin locale sorts the same on every operating system and in every version of its C library.
    const locale = ['-E', 'UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
    const login = ['-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
    const { code, output } = await run(cluster, initdb, ['-D', folder, ...login, ...locale]);
    if (code !== 0) throw explainFailure(output, { directory: cluster.directory });
    writeFileSync(path.join(folder, SECRET_FILE), secret, { mode: 0o600 });
    give(cluster, path.join(folder, SECRET_FILE));
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function give(cluster: Cluster, ...files: string[]): void {
  if (cluster.account) for (const file of files) chownSync(file, cluster.account.uid, cluster.account.gid);
}

function run(cluster: Cluster, program: string, args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const { uid, gid } = cluster.account ?? {};
    const child = spawn(program, args, {
      cwd: '/',
      env: serverEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid !== undefined && gid !== undefined && { uid, gid }),
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('close', (code) => resolve({ code, output }));
    child.on('error', (error) => reject(cannotRun(program, error)));
  });
}

/** The package's programs need glibc: where the loader is missing (Alpine), starting them says "no such file". */
function cannotRun(program: string, error: Error): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'PLATFORM_UNSUPPORTED',
    `${program} does not run on this system (${error.message}); Alpine and other systems without glibc are not supported. Use a Debian-like system ${USE_YOUR_OWN}.`,
    { cause: error },
  );
}
