import os from 'node:os';

/** How much nicer than us: against a process that is not, it gets a tenth of a busy core. */
const BACKGROUND_NICE = 10;
const NICEST = 19;

/**
 * Makes a process that was just started, and what it starts, give way to those that hear live speech. Where the system does
 * not allow it, it stays as it is. On Linux only threads begun later follow, so call this before there are any.
 */
export function giveWay(pid: number | undefined): void {
  if (pid === undefined) return; // it did not start
  try {
    os.setPriority(pid, Math.min(NICEST, os.getPriority() + BACKGROUND_NICE));
  } catch {
    // it has ended, or we may not
  }
}
