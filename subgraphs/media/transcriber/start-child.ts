import { fork, type ChildProcess } from 'node:child_process';
import { programEnvironment } from '../../../platform/environment';
import { giveWay } from '../decoder/give-way';
import { underLimits } from '../decoder/program-limits';

export interface ChildLimits {
  /** Most writable memory, in bytes. */
  maxMemoryBytes: number;
  /** Most of it for JavaScript, in megabytes; default Node.js's own. */
  maxHeapMegabytes?: number;
  /** Somebody waits for every word; all other engines give way to it. */
  isLive?: boolean;
}

/**
 * Starts a script of ours in a process that knows none of our secrets, dies with us, is bound in memory where the system has
 * the tools for it ({@link underLimits}), and speaks with us over `send` and `message`. Its errors are on `stderr`.
 */
export function startChild(
  file: string,
  { maxMemoryBytes, maxHeapMegabytes, isLive = false }: ChildLimits,
): ChildProcess {
  const heap = maxHeapMegabytes === undefined ? [] : [`--max-old-space-size=${maxHeapMegabytes}`];
  const [execPath = process.execPath, ...execArgv] = [...underLimits(maxMemoryBytes), process.execPath, ...heap];
  const child = fork(file, [], {
    execPath,
    execArgv,
    env: programEnvironment(),
    cwd: '/',
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  if (!isLive) giveWay(child.pid);
  return child;
}
