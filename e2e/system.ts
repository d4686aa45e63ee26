import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../platform/root';
import { createTestDatabase } from '../platform/testing/database';
import { freePort } from '../platform/testing/free-port';
import { waitFor } from '../platform/testing/wait';

/** The two ways to run Sauti; every story is told in both. */
export const MODES = ['all in one', 'apart'] as const;
export type Mode = (typeof MODES)[number];

const SUBGRAPHS = ['users', 'files', 'media', 'translation', 'notification'] as const;
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;

export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  /** Everything it has written to stdout and stderr so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export interface System extends AsyncDisposable {
  /** e.g. `http://127.0.0.1:40123/graphql` */
  readonly endpoint: string;
  readonly dataDirectory: string;
  readonly databaseUrl: string;
  /** Where a process of its own, or the one that does its work as well, answers HTTP. */
  address(name: string): string;
  process(name: string): RunningProcess;
  /** Starts one process again after it was killed. */
  restart(name: string): Promise<RunningProcess>;
}

/** Starts all processes of a mode on a database and data folder of their own; disposing stops them and removes both. */
export async function startSystem(mode: Mode, env: Record<string, string> = {}): Promise<System> {
  const database = await createTestDatabase();
  const dataDirectory = await mkdtemp(path.join(os.tmpdir(), 'sauti-e2e-'));
  const shared = {
    DATABASE_URL: database.url,
    SAUTI_DATA_DIR: dataDirectory,
    SAUTI_SECRET: 'a secret for one test run only, 32+',
    LOG_LEVEL: 'warn',
    WORKER_CONCURRENCY: '1',
    ...env,
  };
  const definitions = mode === 'apart' ? await apart(shared) : await allInOne(shared);
  const running = new Map<string, RunningProcess>();
  const start = async (name: string): Promise<RunningProcess> => {
    const definition = definitions.get(name)!;
    const started = startProcess(name, definition.script, definition.env);
    running.set(name, started);
    await untilReady(started, definition);
    return started;
  };
  const stop = async (): Promise<void> => {
    for (const each of [...running.values()].reverse()) await stopProcess(each);
    await database.drop();
    await rm(dataDirectory, { recursive: true, force: true });
  };
  try {
    for (const name of definitions.keys()) await start(name);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    endpoint: `${[...definitions.values()].at(-1)!.url!}/graphql`,
    dataDirectory,
    databaseUrl: database.url,
    address: (name) => (definitions.get(name) ?? definitions.get('start')!).url!,
    process: (name) => running.get(name)!,
    restart: start,
    [Symbol.asyncDispose]: stop,
  };
}

interface Definition {
  script: string;
  env: Record<string, string>;
  /** Base address that answers /ready; missing for the worker, which says that it runs. */
  url?: string;
}

async function allInOne(shared: Record<string, string>): Promise<Map<string, Definition>> {
  const port = await freePort();
  return new Map([
    ['start', { script: 'scripts/start.js', env: { ...shared, PORT: String(port) }, url: `http://127.0.0.1:${port}` }],
  ]);
}

async function apart(shared: Record<string, string>): Promise<Map<string, Definition>> {
  const definitions = new Map<string, Definition>();
  const addresses: Record<string, string> = {};
  for (const name of SUBGRAPHS) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    addresses[`SUBGRAPH_URL_${name.toUpperCase()}`] = `${url}/graphql`;
    definitions.set(name, { script: `subgraphs/${name}/main.js`, env: { ...shared, PORT: String(port) }, url });
  }
  definitions.set('worker', { script: 'worker/main.js', env: shared });
  const port = await freePort();
  const jwksUrl = `${definitions.get('users')!.url!}/.well-known/jwks.json`;
  definitions.set('gateway', {
    script: 'gateway/main.js',
    env: { ...shared, ...addresses, PORT: String(port), JWKS_URL: jwksUrl },
    url: `http://127.0.0.1:${port}`,
  });
  return definitions;
}

/** What this test file has started and not seen ending. A test that fails half-way must not leave it running. */
const started = new Set<ChildProcess>();
afterAll(() => {
  for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
});

/** Starts one of Sauti's own programs from dist/, with nothing of this process's environment that would change it. */
export function startProcess(
  name: string,
  script: string,
  env: Record<string, string>,
  args: string[] = [],
): RunningProcess {
  const { NODE_ENV: _test, ...inherited } = process.env;
  const child: ChildProcess = spawn(
    process.execPath,
    ['--enable-source-maps', path.join(repositoryRoot(), 'dist', script), ...args],
    {
      env: { ...inherited, ...env },
      cwd: env['SAUTI_DATA_DIR'],
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  );
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (text += chunk.toString()));
  started.add(child);
  const ended = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  return { name, pid: child.pid!, output: () => text, kill: (signal) => void child.kill(signal), ended };
}

export async function stopProcess(running: RunningProcess): Promise<void> {
  running.kill('SIGTERM');
  const timer = setTimeout(() => running.kill('SIGKILL'), STOP_LIMIT_MS);
  await running.ended;
  clearTimeout(timer);
}

async function untilReady(running: RunningProcess, definition: Definition): Promise<void> {
  const ended = running.ended.then(({ code, signal }) => {
    throw new Error(`${running.name} ended with ${code ?? signal}:\n${running.output()}`);
  });
  const ready = definition.url
    ? waitFor(`${running.name} to be ready`, async () => (await fetch(`${definition.url!}/ready`)).ok, START_LIMIT_MS)
    : waitFor(`${running.name} to run`, () => running.output().includes('runs up to'), START_LIMIT_MS);
  await Promise.race([ready, ended]);
  ended.catch(() => undefined);
}
