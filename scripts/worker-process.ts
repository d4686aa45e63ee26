import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Logger } from '../platform/logger';

const FIRST_RESTART_MS = 500;
const LONGEST_RESTART_MS = 30_000;
/** A worker that lived this long did start well; the next restart is quick again. */
const HEALTHY_MS = 60_000;
const STOP_LIMIT_MS = 12_000;

export interface WorkerProcess {
  /** Resolves when the worker takes jobs for the first time. */
  readonly ready: Promise<void>;
  /** Asks it to stop and waits until it is gone; kills it after 12 s. */
  stop(): Promise<void>;
}

/**
 * Keeps one worker process running and starts it again when it dies. It runs in a process group of its own, so that
 * Ctrl-C reaches it through us, in order; when this process dies in any way, the closed IPC channel stops it.
 */
export function startWorkerProcess(logger: Logger): WorkerProcess {
  let child: ChildProcess;
  let stopping = false;
  let restartMs = FIRST_RESTART_MS;
  let timer: NodeJS.Timeout | undefined;
  let becameReady: () => void;
  const ready = new Promise<void>((resolve) => (becameReady = resolve));

  const start = (): void => {
    const startedAt = Date.now();
    child = fork(path.join(__dirname, '../worker/main.js'), {
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--enable-source-maps'],
    });
    child.once('message', () => becameReady());
    child.once('exit', (code, signal) => {
      if (stopping) return;
      restartMs = Date.now() - startedAt > HEALTHY_MS ? FIRST_RESTART_MS : Math.min(restartMs * 2, LONGEST_RESTART_MS);
      logger.error({ code, signal, restartMs }, 'the worker process died; starting it again');
      timer = setTimeout(start, restartMs);
    });
  };
  start();

  return {
    ready,
    async stop() {
      stopping = true;
      clearTimeout(timer);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      child.kill('SIGTERM');
      await gone;
      clearTimeout(kill);
    },
  };
}
