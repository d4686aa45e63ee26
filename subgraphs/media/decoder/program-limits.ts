import { spawnSync } from 'node:child_process';
import { programEnvironment } from '../../../platform/environment';

/** Ends the program with us, even when we are killed while it is deep in a library. */
const TIED = ['setpriv', '--pdeathsig', 'KILL', '--'];

/**
 * What stands before a command so that it dies with this process and may not take more memory (RLIMIT_DATA: writable
 * memory of its own, which libraries are not; RLIMIT_AS would not do, as V8 reserves much more than it uses); nothing where
 * util-linux is missing.
 */
export function underLimits(maxMemoryBytes: number): string[] {
  const bounded = ['prlimit', `--data=${maxMemoryBytes}`, '--core=0', '--'];
  return [TIED, bounded].filter(works).flat();
}

const known = new Map<string, boolean>();

/** Other systems have programs of these names that take other options, so each is tried out, once. */
function works([program, ...parameters]: readonly string[]): boolean {
  const before = known.get(program!);
  if (before !== undefined) return before;
  const { status } = spawnSync(program!, [...parameters, 'true'], { env: programEnvironment(), stdio: 'ignore' });
  known.set(program!, status === 0);
  return status === 0;
}
