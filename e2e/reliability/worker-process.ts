import { jobEnd } from '../../platform/testing/job-end';
import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Job } from '../../platform/jobs/job';
import type { Platform } from '../../platform/platform';
import { repositoryRoot } from '../../platform/root';
import { waitFor } from '../../platform/testing/wait';
import { descendantsOf, isAlive } from '../restarts/processes';

/** Longer than a lease, a sweep and the work of a slow machine. */
export const LIMIT_MS = 600_000;

export interface WorkerProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Kills it with SIGKILL, and resolves when it and all that it had started are gone; answers how many those were. */
  kill(): Promise<number>;
}

/** A test that fails half-way must not leave one running. */
const started = new Set<ChildProcess>();
afterAll(() => started.forEach((child) => child.kill('SIGKILL')));

/**
 * Starts a worker in a process of its own, from the sources, on the database and the data of `platform`: the real one, or
 * another script that takes the same environment. Resolves when it says that it runs.
 */
export async function startWorkerProcess(
  platform: Platform,
  { script = 'worker/main.ts', env = {} }: { script?: string; env?: Record<string, string> } = {},
): Promise<WorkerProcess> {
  const register = path.join(repositoryRoot(), 'platform/testing/register.cjs');
  const child = spawn(process.execPath, ['-r', register, path.join(repositoryRoot(), script)], {
    env: {
      ...process.env,
      DATABASE_URL: platform.database.url,
      SAUTI_DATA_DIR: path.dirname(platform.scratchDirectory),
      REDIS_URL: '',
      LOG_LEVEL: 'error',
      WORKER_CONCURRENCY: '2',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.add(child);
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  await waitFor('the worker to run', () => printed.includes('runs up to'), LIMIT_MS);
  const kill = async (): Promise<number> => {
    const family = descendantsOf(child.pid!);
    child.kill('SIGKILL');
    await waitFor('the worker to be gone', () => child.signalCode ?? child.exitCode !== null);
    await waitFor('its children to be gone', () => !family.some(isAlive));
    return family.length;
  };
  return { child, kill, [Symbol.asyncDispose]: async () => void (await kill()) };
}

export function readJob({ database }: Platform, id: string): Promise<Job> {
  return database.prisma.job.findUniqueOrThrow({ where: { id } });
}

/** The job once it has ended. */
export function endOfJob(platform: Platform, id: string): Promise<Job> {
  return jobEnd(platform, id, LIMIT_MS);
}
