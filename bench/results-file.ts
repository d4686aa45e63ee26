import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../platform/root';
import { mebibytes } from './gateway/table';

/** Stores what one benchmark found as its part of bench/RESULTS.md, under a heading of its own; other parts stay. */
export function writeResultsPart(heading: string, text: string): void {
  const file = path.join(repositoryRoot(), 'bench/RESULTS.md');
  writeFileSync(file, replacePart(existsSync(file) ? readFileSync(file, 'utf8') : '', heading, text));
}

/** A part goes from its first-level heading to the next; one that is not there yet is put at the end. */
function replacePart(whole: string, heading: string, text: string): string {
  const parts = whole.split(/^(?=# )/m).filter((part) => part.trim() !== '');
  const own = `# ${heading}\n\n${text.trim()}\n`;
  const index = parts.findIndex((part) => part.startsWith(`# ${heading}\n`));
  return parts
    .with(index === -1 ? parts.push('') - 1 : index, own)
    .map((part) => part.trim())
    .join('\n\n')
    .concat('\n');
}

export function describeMachine(): string {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown CPU';
  return `${cpus().length} × ${cpu}, ${mebibytes(totalmem())} MiB, ${type()} ${release()}; Node ${process.versions.node}`;
}

/** The commit that is checked out, and whether what is measured differs from it. */
export function describeCommit(): string {
  try {
    const isChanged = git('status', '--porcelain', '--', 'gateway', 'platform', 'package-lock.json') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}

function git(...args: string[]): string {
  const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
  return execFileSync('git', args, { cwd: repositoryRoot(), encoding: 'utf8', stdio }).trim();
}
