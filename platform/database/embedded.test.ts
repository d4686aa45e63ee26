import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { repositoryRoot } from '../root';
import { waitFor } from '../testing/wait';
import { type EmbeddedPostgres, EmbeddedPostgresError, startEmbeddedPostgres } from './embedded';
import { serverAccount } from './embedded/account';
import { findBinaries } from './embedded/binaries';
import { explainFailure } from './embedded/errors';
import { isServerOf, readPostmaster } from './embedded/postmaster';

const isRoot = process.getuid?.() === 0;
const folders: string[] = [];
const cleanUp: (() => unknown)[] = [];

afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
  for (const folder of folders.splice(0)) expect(serversBelow(folder)).toEqual([]);
});

test('keeps data from one start to the next', async () => {
  const dataDir = aDataFolder();
  const first = await aServer(dataDir);
  await query(first.url, 'create table kept as select 42 as answer');
  await first.stop();
  const second = await aServer(dataDir);
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
});

test('gives processes that start at once the same server', async () => {
  const dataDir = aDataFolder();
  const holders = await Promise.all([aHolder(dataDir), aHolder(dataDir), aHolder(dataDir)]);
  expect(new Set(holders.map((holder) => holder.url)).size).toBe(1);
  await holders[0].stop();
  await holders[1].stop();
  expect(await query(holders[2].url, 'select 1 as alive')).toEqual([{ alive: 1 }]);
});

test('is gone when the last holder has stopped, and not before', async () => {
  const dataDir = aDataFolder();
  const first = await aServer(dataDir);
  const second = await aServer(dataDir);
  const { pid } = runningOn(dataDir);
  await first.stop();
  expect(await query(second.url, 'select 1 as alive')).toEqual([{ alive: 1 }]);
  await second.stop();
  expect(isServerOf(path.join(dataDir, 'cluster'), pid)).toBe(false);
});

test('is gone when two holders stop at the same moment', async () => {
  const dataDir = aDataFolder();
  const holders = [await aServer(dataDir), await aServer(dataDir)];
  const { pid } = runningOn(dataDir);
  await Promise.all(holders.map((holder) => holder.stop()));
  expect(isServerOf(path.join(dataDir, 'cluster'), pid)).toBe(false);
});

test('outlives a killed holder while another needs it, and ends when all were killed', async () => {
  const dataDir = aDataFolder();
  const starter = await aHolder(dataDir);
  const other = await aHolder(dataDir);
  const { pid } = runningOn(dataDir);
  starter.kill();
  // Longer than the watchdog's patience with a server nobody needs.
  await watchdogLooks(other.url, 5);
  expect(runningOn(dataDir).pid).toBe(pid);
  other.kill();
  await waitFor('the server to end', () => !isServerOf(path.join(dataDir, 'cluster'), pid));
});

test('comes back with its data under the same URL after the server was killed', async () => {
  const dataDir = aDataFolder();
  const reports: string[] = [];
  const server = await aServer(dataDir, (message) => reports.push(message));
  await query(server.url, 'create table kept as select 42 as answer');
  process.kill(runningOn(dataDir).pid, 'SIGKILL');
  expect(await waitFor('the data', () => query(server.url, 'select answer from kept'))).toEqual([{ answer: 42 }]);
  await waitFor('the report', () => reports.length === 2);
  expect(reports).toEqual([expect.stringContaining('gone away'), expect.stringContaining('back')]);
});

test('gets a new watchdog when its own was killed', async () => {
  const dataDir = aDataFolder();
  const holder = await aHolder(dataDir);
  const { pid } = runningOn(dataDir);
  process.kill(parentOf(pid), 'SIGKILL');
  await watchdogLooks(holder.url, 2);
  expect(runningOn(dataDir).pid).toBe(pid);
  holder.kill();
  await waitFor('the server to end', () => !readPostmaster(path.join(dataDir, 'cluster')));
});

test('comes back although watchdog and server were killed together', async () => {
  const dataDir = aDataFolder();
  const server = await aServer(dataDir);
  const { pid } = runningOn(dataDir);
  process.kill(parentOf(pid), 'SIGKILL');
  process.kill(pid, 'SIGKILL');
  await waitFor('an answer', () => query(server.url, 'select 1'));
});

test('takes another port when its last one is in use', async () => {
  const dataDir = aDataFolder();
  const first = await aServer(dataDir);
  const port = Number(new URL(first.url).port);
  await first.stop();
  const squatter = net.createServer();
  await new Promise<void>((resolve) => squatter.listen(port, '127.0.0.1', resolve));
  cleanUp.push(() => squatter.close());
  const second = await aServer(dataDir);
  expect(new URL(second.url).port).not.toBe(String(port));
});

(isRoot ? test : test.skip)('runs as an unprivileged account when root starts it', async () => {
  const dataDir = aDataFolder();
  await aServer(dataDir);
  const uids = /^Uid:\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${runningOn(dataDir).pid}/status`, 'utf8'));
  expect(Number(uids![1])).toBeGreaterThan(0);
  expect(Number(uids![2])).toBeGreaterThan(0);
});

(isRoot ? test : test.skip)('keeps the data of a private folder outside it, and finds them again', async () => {
  const home = aFolder();
  chmodSync(home, 0o700);
  const wanted = path.join(home, 'clone/.sauti/postgres');
  const first = await aServer(wanted);
  cleanUp.push(
    () => rmSync(first.dataDir, { recursive: true, force: true }),
    () => first.stop(),
  );
  expect(first.dataDir).not.toContain(home);
  await query(first.url, 'create table kept as select 42 as answer');
  await first.stop();
  const second = await aServer(wanted);
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
});

(isRoot ? test : test.skip)('works for an ordinary user', async () => {
  const nobody = 65_534;
  const dataDir = aDataFolder();
  chownSync(path.dirname(dataDir), nobody, nobody);
  const holder = await aHolder(dataDir, { uid: nobody, gid: nobody });
  expect(await query(holder.url, 'select 1 as alive')).toEqual([{ alive: 1 }]);
  await holder.stop();
});

test('starts although the last server left a process number that another program has now', async () => {
  const dataDir = aDataFolder();
  await (await aServer(dataDir)).stop();
  // What a machine leaves that lost power, when the number went to another program of the same user after the restart.
  const other = spawn('sleep', ['600'], { ...serverAccount() });
  cleanUp.push(() => other.kill());
  writeFileSync(
    path.join(dataDir, 'cluster/postmaster.pid'),
    [other.pid, '/x', 1, 21_000, '', '', '', 'ready', ''].join('\n'),
  );
  expect(await query((await aServer(dataDir)).url, 'select 1 as alive')).toEqual([{ alive: 1 }]);
});

test('starts although a starter was killed half-way and nobody has reaped it', async () => {
  const dataDir = aDataFolder();
  mkdirSync(dataDir);
  const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'ignore'] });
  cleanUp.push(() => parent.kill());
  const zombie = await new Promise<string>((resolve) =>
    parent.stdout.once('data', (line: Buffer) => resolve(line.toString().trim())),
  );
  await waitFor('a zombie', () => readFileSync(`/proc/${zombie}/status`, 'utf8').includes('State:\tZ'));
  writeFileSync(path.join(dataDir, 'launch.lock'), zombie);
  mkdirSync(path.join(dataDir, `cluster.new-${zombie}-abc`));
  await aServer(dataDir);
  expect(readdirSync(dataDir).filter((name) => name.includes('new') || name.includes('lock'))).toEqual([]);
});

test('says what to do where no PostgreSQL exists for the platform', () => {
  expect(() => findBinaries(null, os.tmpdir(), 'plan9-mips')).toThrow(/plan9-mips.*set DATABASE_URL/);
});

test.each([
  ['DISK_FULL', 'FATAL:  could not write lock file "postmaster.pid": No space left on device'],
  [
    'PORT_TAKEN',
    'LOG:  could not bind IPv4 address "127.0.0.1": Address already in use\nFATAL:  could not create any TCP/IP sockets',
  ],
  ['VERSION_MISMATCH', 'FATAL:  database files are incompatible with server'],
  ['NOT_ACCESSIBLE', 'FATAL:  data directory "/x" has wrong ownership'],
  ['START_FAILED', 'FATAL:  could not load /x/pg_hba.conf'],
])('explains %s by what the server printed', (code, output) => {
  const error = explainFailure(output, { directory: '/data', port: 21_000 });
  expect(error).toBeInstanceOf(EmbeddedPostgresError);
  expect(error.code).toBe(code);
  expect(error.message).toContain(code === 'PORT_TAKEN' ? '21000' : '/data');
});

function aFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sauti-embedded-'));
  chmodSync(folder, 0o755);
  folders.push(folder);
  cleanUp.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Servers that a test has left behind. */
function serversBelow(folder: string): string[] {
  const found = spawnSync('ps', ['-eo', 'pid,stat,args'], { encoding: 'utf8' }).stdout;
  return found.split('\n').filter((line) => line.includes(`-D ${folder}`));
}

function aDataFolder(): string {
  return path.join(aFolder(), 'postgres');
}

async function aServer(dataDir: string, report?: (message: string) => void): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, database: 'sauti', ...(report && { report }) });
  cleanUp.push(() => server.stop());
  return server;
}

interface Holder {
  url: string;
  stop(): Promise<void>;
  kill(): void;
}

/** Another process that holds the server until it is told to stop, or killed. */
async function aHolder(dataDir: string, user: { uid?: number; gid?: number } = {}): Promise<Holder> {
  const program = `
    require('./platform/database/embedded').startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, database: 'sauti' }).then((server) => {
      console.log(server.url);
      process.stdin.on('end', () => server.stop().then(() => process.exit(0))).resume();
    });`;
  const register = path.join(repositoryRoot(), 'platform/testing/register.cjs');
  const child = spawn(process.execPath, ['-r', register, '-e', program], {
    cwd: repositoryRoot(),
    stdio: ['pipe', 'pipe', 'inherit'],
    ...user,
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  cleanUp.push(() => stopHolder(child, ended));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const url = await waitFor('a holder', () => (output.endsWith('\n') ? output.trim() : null));
  return { url, stop: () => stopHolder(child, ended), kill: () => child.kill('SIGKILL') };
}

async function stopHolder(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.stdin!.end();
  await ended;
}

function runningOn(dataDir: string): { pid: number } {
  return readPostmaster(path.join(dataDir, 'cluster'))!;
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}

/** Waits until the watchdog has looked for leases this many times more; it looks once a second. */
async function watchdogLooks(url: string, times: number): Promise<void> {
  const look = `select query_start::text as at from pg_stat_activity where application_name = 'sauti:watchdog'`;
  let last: unknown;
  for (let seen = 0; seen <= times; seen++) {
    last = await waitFor('the watchdog to look', async () => {
      const at = (await query(url, look))[0]?.at;
      return at === last ? null : at;
    });
  }
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
