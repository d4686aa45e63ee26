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
 * `execPath` is the node that runs it.
 */
export function startWorkerProcess(logger: Logger, execPath = process.execPath): WorkerProcess {
  let child: ChildProcess | undefined;
  let stopping = false;
  let restartMs = FIRST_RESTART_MS;
  let timer: NodeJS.Timeout | undefined;
  let becameReady: () => void;
  const ready = new Promise<void>((resolve) => (becameReady = resolve));

  const startAgain = (details: object, message: string): void => {
    if (stopping) return;
    logger.error({ ...details, restartMs }, message);
    timer = setTimeout(start, restartMs);
    restartMs = Math.min(restartMs * 2, LONGEST_RESTART_MS);
  };
  const start = (): void => {
    const startedAt = Date.now();
    try {
      child = forkWorker(execPath);
    } catch (error) {
      return startAgain({ error }, 'the worker process could not be started; trying again');
    }
    const { pid } = child;
    child.once('message', () => becameReady());
    child.on('error', (error) => {
      // A process that has a number did start, and tells its end by 'exit'.
      if (pid === undefined) startAgain({ error }, 'the worker process could not be started; trying again');
      else logger.warn({ error }, 'the worker process cannot be reached');
    });
    child.once('exit', (code, signal) => {
      if (Date.now() - startedAt > HEALTHY_MS) restartMs = FIRST_RESTART_MS;
      startAgain({ code, signal }, 'the worker process died; starting it again');
    });
  };
  start();

  return {
    ready,
    async stop() {
      stopping = true;
      clearTimeout(timer);
      const last = child;
      if (last?.pid === undefined || last.exitCode !== null || last.signalCode !== null) return;
      const gone = new Promise((resolve) => last.once('exit', resolve));
      const kill = setTimeout(() => last.kill('SIGKILL'), STOP_LIMIT_MS);
      last.kill('SIGTERM');
      await gone;
      clearTimeout(kill);
    },
  };
}

function forkWorker(execPath: string): ChildProcess {
  return fork(path.join(__dirname, '../worker/main.js'), {
    execPath,
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--enable-source-maps'],
  });
}
