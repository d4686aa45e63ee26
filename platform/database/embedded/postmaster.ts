import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

/** A server that runs on a data directory, as its `postmaster.pid` describes it. */
export interface Postmaster {
  pid: number;
  port: number;
  /** False while it recovers, starts or stops. */
  ready: boolean;
}

/**
 * The server running on this data directory, or null. The lines of `postmaster.pid` are described in PostgreSQL's
 * `src/include/utils/pidfile.h`: 1 = pid, 4 = port, 8 = status. A file left by a killed server counts as nothing.
 */
export function readPostmaster(data: string): Postmaster | null {
  const lines = readPidFile(data);
  if (!lines) return null;
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0 || !isServerOf(data, pid)) return null;
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

/**
 * Removes a `postmaster.pid` that PostgreSQL itself would respect although no server is behind it: one that names a
 * zombie (nobody reaps in many containers) or a number that another program has now. Where that cannot be told for
 * certain the file stays. A server's surviving children are still found by PostgreSQL through its shared memory.
 */
export function removeStalePidFile(data: string): void {
  const pid = Number(readPidFile(data)?.[0]);
  if (pid > 0 && exists(pid) && commandLine(pid) !== null && !isServerOf(data, pid)) {
    rmSync(path.join(data, 'postmaster.pid'), { force: true });
  }
}

/** Whether a process with this id is at work. A zombie is not: in many containers nobody reaps. */
export function isAlive(pid: number): boolean {
  return exists(pid) && commandLine(pid) !== '';
}

/** Whether a process with this id exists, be it a zombie. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Arguments separated by NUL; empty for a zombie, null when there is no such process or no /proc. */
function commandLine(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return null;
  }
}

function readPidFile(data: string): string[] | null {
  try {
    const lines = readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n');
    return lines.length > 3 ? lines : null;
  } catch {
    return null;
  }
}

/**
 * Whether this process is a server on this data directory. A zombie has an empty command line, a reused number another
 * one. Without /proc, being there has to do.
 */
export function isServerOf(data: string, pid: number): boolean {
  if (process.platform !== 'linux') return exists(pid);
  return exists(pid) && (commandLine(pid)?.split('\0').includes(data) ?? false);
}
