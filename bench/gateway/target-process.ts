import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { targetEnvironment } from './environment';
import { freePort } from './system';
import type { StartOptions, Target } from './targets';

const START_LIMIT_MS = 60_000;
const PROBE_EVERY_MS = 50;
/** Of what a target says, this much is kept to explain a failed start. */
const MAX_OUTPUT_CHARACTERS = 4_000;

/** A process that serves GraphQL at `/graphql` of a port. */
export interface RunningProcess extends AsyncDisposable {
  pid: number;
  port: number;
  kill(signal: NodeJS.Signals): void;
  hasEnded(): boolean;
}

export interface TargetProcess extends RunningProcess {
  target: Target;
}

export interface ProcessOptions {
  /** The core it is bound to; null: any. */
  core: number | null;
  /** Put before the script on node's command line. */
  nodeArgs?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

export interface LaunchOptions extends Omit<StartOptions, 'port'>, ProcessOptions {}

/** Starts a target and waits until it answers. Throws, with what it said, when it ends or does not answer in a minute. */
export async function startTarget(target: Target, options: LaunchOptions): Promise<TargetProcess> {
  const port = await freePort();
  const { args, env } = target.command({ ...options, port });
  const started = await startProcess(
    { name: target.name, args, port },
    { ...options, env: { ...env, ...options.env } },
  );
  return { ...started, target };
}

/** Starts a script of node and waits until it answers at its port, as {@link startTarget} does. */
export async function startProcess(
  { name, args, port }: { name: string; args: readonly string[]; port: number },
  options: ProcessOptions,
): Promise<RunningProcess> {
  const command = [process.execPath, ...(options.nodeArgs ?? []), ...args];
  const [file = '', ...rest] = options.core === null ? command : ['taskset', '-c', String(options.core), ...command];
  const child = spawn(file, rest, {
    env: targetEnvironment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const output = keepOutput(child);
  await untilAnswers(child, port, () => `${name} did not start:\n${output()}`);
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid!, // it has answered, so it runs
    port,
    kill: (signal) => void child.kill(signal),
    hasEnded,
    async [Symbol.asyncDispose]() {
      if (hasEnded()) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Targets are not told when the benchmark is stopped half-way, so it ends them itself. */
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

function keepOutput(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (piece: string) => (text = (text + piece).slice(-MAX_OUTPUT_CHARACTERS)));
  return () => text;
}

async function untilAnswers(child: ChildProcess, port: number, explain: () => string): Promise<void> {
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  child.once('exit', (code, signal) => (failure = new Error(`${explain()}\n(ended: ${signal ?? code})`)));
  const deadline = performance.now() + START_LIMIT_MS;
  while (!failure && performance.now() < deadline) {
    if (await answers(port)) return;
    await pause(PROBE_EVERY_MS);
  }
  child.kill('SIGKILL');
  throw failure ?? new Error(explain());
}

async function answers(port: number): Promise<boolean> {
  try {
    const { body } = await post(port, '{ __typename }');
    return body.includes('"data"');
  } catch {
    return false;
  }
}

/** One operation, sent the plain way. */
export async function post(
  port: number,
  query: string,
  signal?: AbortSignal,
): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
    signal: signal ?? null,
  });
  return { status: response.status, body: await response.text() };
}
