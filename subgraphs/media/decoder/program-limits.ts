import { existsSync } from 'node:fs';
import path from 'node:path';
import { programEnvironment } from '../../../platform/environment';

/**
 * What stands before a command so that it dies with this process and may not take more memory (RLIMIT_DATA: writable
 * memory of its own, which libraries are not); nothing where util-linux is missing.
 */
export function underLimits(maxMemoryBytes: number): string[] {
  return [
    ...(isInstalled('setpriv') ? ['setpriv', '--pdeathsig', 'KILL', '--'] : []),
    ...(isInstalled('prlimit') ? ['prlimit', `--data=${maxMemoryBytes}`, '--core=0', '--'] : []),
  ];
}

const installed = new Map<string, boolean>();

function isInstalled(program: string): boolean {
  const known = installed.get(program);
  if (known !== undefined) return known;
  const folders = (programEnvironment().PATH ?? '').split(path.delimiter).filter(Boolean);
  const found = process.platform === 'linux' && folders.some((folder) => existsSync(path.join(folder, program)));
  installed.set(program, found);
  return found;
}
