import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { RunningProcess } from './target-process';

const LOOK_EVERY_MS = 20;

/** Sends SIGUSR2 and reads the file that the process then writes; null when it ends or writes none in `limitMs`. */
export async function signalForFile(running: RunningProcess, file: string, limitMs: number): Promise<string | null> {
  rmSync(file, { force: true });
  running.kill('SIGUSR2');
  const deadline = performance.now() + limitMs;
  while (!running.hasEnded() && performance.now() < deadline) {
    if (existsSync(file)) return readFileSync(file, 'utf8');
    await pause(LOOK_EVERY_MS);
  }
  return null;
}
