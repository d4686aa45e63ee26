import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { programEnvironment } from '../../../platform/environment';
import { ffmpegMissing } from './ffmpeg';
import { giveWay } from './give-way';
import { underLimits } from './program-limits';

export interface GuardedOptions {
  /** Kills the program at once. */
  signal: AbortSignal;
  /** Most writable memory of its own, in bytes; default 512 MiB. Beyond it the program cannot allocate, and ends. */
  maxMemoryBytes?: number;
  /** Where it runs; default: where we do. */
  directory?: string;
  /** Whether it is given something through `stdin`; default: its input is empty. */
  withInput?: boolean;
  /** Somebody waits for what it does with live speech; all other programs give way to it. */
  isLive?: boolean;
}

export interface ProgramEnd {
  /** Null: ended by a signal, which is not the program's own doing. */
  exitCode: number | null;
  /** The last 16,384 characters. */
  stderr: string;
}

/** Disposing it kills the program and waits for its end. */
export interface GuardedProgram extends AsyncDisposable {
  stdout: Readable;
  /** Only `withInput`. Writing fails once the program has ended: listen to its errors. */
  stdin: Writable | null;
  /** Rejects with EngineUnavailableError when the program could not be started at all. */
  ended: Promise<ProgramEnd>;
  kill(): void;
}

const MAX_MEMORY_BYTES = 512 * 1024 * 1024;
const STDERR_KEPT_CHARACTERS = 16_384;

/**
 * Starts a program that reads what a stranger has sent: with nothing of our environment but the way to its programs, no
 * input but what it is given, a bound on its memory, and an end as soon as the signal aborts, it is disposed, or this process dies (where the
 * operating system offers it).
 */
export function spawnGuarded(program: string, parameters: readonly string[], options: GuardedOptions): GuardedProgram {
  const { signal, maxMemoryBytes = MAX_MEMORY_BYTES, directory, withInput = false, isLive = false } = options;
  const [command, ...all] = [...underLimits(maxMemoryBytes), program, ...parameters] as [string, ...string[]];
  const child = spawn(command, all, {
    env: programEnvironment(),
    stdio: [withInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    ...(directory === undefined ? {} : { cwd: directory }),
  });
  if (!isLive) giveWay(child.pid);
  const kill = (): void => void child.kill('SIGKILL');
  if (signal.aborted) kill();
  signal.addEventListener('abort', kill, { once: true });
  const ended = endOf(child, program);
  ended.catch(() => {}); // read by the caller after stdout; a failed start must not become an unhandled rejection first
  const release = (): void => signal.removeEventListener('abort', kill);
  ended.then(release, release);
  return {
    stdout: child.stdout!,
    stdin: child.stdin,
    ended,
    kill,
    async [Symbol.asyncDispose]() {
      release();
      kill();
      child.stdin?.destroy();
      child.stdout!.destroy();
      await ended.catch(() => {});
    },
  };
}

async function endOf(child: ReturnType<typeof spawn>, program: string): Promise<ProgramEnd> {
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT_CHARACTERS);
  });
  try {
    const [exitCode] = (await once(child, 'close')) as [number | null];
    if (/^(setpriv|prlimit): failed to execute /m.test(stderr) && exitCode !== null && exitCode >= 126) {
      throw new Error(stderr.trim());
    }
    return { exitCode, stderr };
  } catch (error) {
    throw ffmpegMissing(program, error);
  }
}
