import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { repositoryRoot } from '../../platform/root';
import { targetEnvironment } from '../gateway/environment';
import { waitFor } from '../../platform/testing/wait';

export interface Program extends AsyncDisposable {
  readonly pid: number;
  /** Everything it has written to stdout and stderr so far. */
  printed(): string;
  /** `kill -9`; resolves when it has ended. */
  kill(): Promise<void>;
}

const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 20_000;

/** Starts node with these arguments; resolves when `isUp` says so of what it has printed. Disposing ends it. */
export async function startProgram(options: {
  args: readonly string[];
  env: Record<string, string>;
  isUp: (printed: string) => boolean | Promise<boolean>;
}): Promise<Program> {
  const child = spawn(process.execPath, ['--enable-source-maps', ...options.args], {
    cwd: repositoryRoot(),
    env: targetEnvironment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const keep = (chunk: Buffer): void => void (printed += chunk.toString());
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = once(child, 'exit').then(() => void process.off('exit', killWithUs));
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    const timer = setTimeout(killWithUs, STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
  };
  await waitFor('a program to be up', () => options.isUp(printed), START_LIMIT_MS).catch(async (error: Error) => {
    await end('SIGKILL');
    throw new Error(`${error.message}\n${printed}`);
  });
  return {
    pid: child.pid!,
    printed: () => printed,
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => end('SIGTERM'),
  };
}
