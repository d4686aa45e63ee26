import { execFile, fork, type ChildProcess } from 'node:child_process';
import { promisify } from 'node:util';
import { programEnvironment } from '../../../../platform/environment';

/**
 * What one decoder may take of writable memory. It needs 153 MB at rest and up to 215 MB at work, with a vocabulary of
 * 1,000 sentences and utterances of 20 s.
 */
const MEMORY_BYTES = 512 * 1024 * 1024;
/** The JavaScript side holds one second of audio and the words of one utterance. */
const HEAP_MEGABYTES = 64;

const GUARD = [
  // util-linux: the child ends with us even when we are killed while it is deep in a C function …
  ...['setpriv', '--pdeathsig', 'KILL', '--'],
  // … and what eats memory is refused more of it, and ends alone. RLIMIT_AS would not do: V8 reserves much more than it uses.
  ...['prlimit', `--data=${MEMORY_BYTES}`],
];

let guard: Promise<readonly string[]> | undefined;

/**
 * Starts a script of ours in a process that knows none of our secrets, is bound in memory where the system has the tools
 * for it (`setpriv` and `prlimit` of util-linux), and speaks with us over `send` and `message`. Its errors are on `stderr`.
 */
export async function startChild(file: string): Promise<ChildProcess> {
  const command = [...(await (guard ??= findGuard())), process.execPath, `--max-old-space-size=${HEAP_MEGABYTES}`];
  return fork(file, [], {
    execPath: command[0]!,
    execArgv: command.slice(1),
    env: programEnvironment(),
    cwd: '/',
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

/** Other systems have programs of these names that take other options, so it is tried out. */
async function findGuard(): Promise<readonly string[]> {
  try {
    const [program, ...parameters] = GUARD;
    await promisify(execFile)(program!, [...parameters, 'true'], { env: programEnvironment() });
    return GUARD;
  } catch {
    return [];
  }
}
