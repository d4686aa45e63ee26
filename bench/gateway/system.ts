import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { createServer, type AddressInfo } from 'node:net';

/** Kernel ticks in one second; 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;

/** CPU time that a process, all its threads and all its children, also those that have ended, have used so far, from `/proc/PID/stat`. */
export function cpuMs(pid: number): number {
  const ticks = processTree(pid).map((member) => {
    const stat = readProc(member, 'stat');
    // The command in parentheses may hold blanks; utime, stime, cutime and cstime are fields 14 to 17 of the line.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0);
  });
  return (ticks.reduce((sum, value) => sum + value, 0) * 1_000) / TICKS_PER_SECOND;
}

/** Memory of a process and its children, in bytes: now, and the most each has had so far. */
export function memoryBytes(pid: number): { now: number; peak: number } {
  const total = { now: 0, peak: 0 };
  for (const member of processTree(pid)) {
    const status = readProc(member, 'status');
    const kibibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    total.now += kibibytes('VmRSS') * 1_024;
    total.peak += kibibytes('VmHWM') * 1_024;
  }
  return total;
}

/**
 * Begins to watch the machine; the function it returns gives the share of all cores, 0 to 1, that went into processes
 * that are not this one or below it. Their work makes every figure worse, so a report says how much there was.
 */
export function watchOtherWork(): () => number {
  const read = () => ({ busyMs: machineBusyMs(), ownMs: cpuMs(process.pid), atMs: performance.now() });
  const start = read();
  return () => {
    const end = read();
    const otherMs = end.busyMs - start.busyMs - (end.ownMs - start.ownMs);
    return Math.max(0, otherMs / ((end.atMs - start.atMs) * cpus().length));
  };
}

/** User, nice, system, interrupts and stolen time of all cores since boot; not idle, not waiting for disks. */
function machineBusyMs(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .split(/\s+/)
    .map(Number);
  return ((user + nice + system + irq + softirq + steal) * 1_000) / TICKS_PER_SECOND;
}

function processTree(pid: number): number[] {
  const children = readProc(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(processTree)];
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it has just ended
  }
}

/** The core for the gateway under test and the one for everything else. */
export interface Cores {
  gateway: number;
  rest: number;
}

/** Takes the first two cores this process may use; null where there is one only, or no `taskset`. */
export function chooseCores(): Cores | null {
  const allowed = /^Cpus_allowed_list:\s+(.+)$/m.exec(readProc(process.pid, 'status'))?.[1] ?? '';
  const cores = allowed.split(',').flatMap((range) => {
    const [from = NaN, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  const [gateway, rest] = cores;
  if (gateway === undefined || rest === undefined) return null;
  try {
    // The benchmark itself and all it starts stay off the gateway's core.
    execFileSync('taskset', ['-a', '-cp', String(rest), String(process.pid)], { stdio: 'ignore' });
    return { gateway, rest };
  } catch {
    return null;
  }
}

/** A port that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
