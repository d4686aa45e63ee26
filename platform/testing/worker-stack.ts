import { Dispatcher } from '../jobs/dispatcher';
import { JobRunner, type AnyJobHandler } from '../jobs/job-runner';
import { createJobQueue } from '../jobs/queue';
import type { Platform } from '../platform';

export interface WorkerStack extends AsyncDisposable {
  /** Ends as a worker process does on SIGTERM; disposing it afterwards does nothing more. */
  stop(graceMs?: number): Promise<void>;
}

/** Queue, dispatcher and runner as a worker process has them, in this process. */
export function startWorkerStack(
  platform: Platform,
  handlers: readonly AnyJobHandler[],
  options: { redisUrl?: string; concurrency?: number; maxConcurrentJobs?: number } = {},
): WorkerStack {
  const { database, notifications, logger } = platform;
  const queue = createJobQueue({ databaseUrl: database.url, redisUrl: options.redisUrl, logger });
  const times = { pollMs: 200, sweepMs: 500, forgottenMs: 1_000 };
  const { maxConcurrentJobs } = options;
  const dispatcher = new Dispatcher(database, notifications, queue, logger, {
    times,
    ...(maxConcurrentJobs !== undefined && { maxConcurrentJobs }),
  });
  const runner = new JobRunner({ ...platform, queue, handlers, concurrency: options.concurrency ?? 2 });
  let stopped: Promise<void> | undefined;
  const stop = async (graceMs: number): Promise<void> => {
    await runner.close(graceMs);
    await dispatcher[Symbol.asyncDispose]();
    await queue[Symbol.asyncDispose]();
  };
  return {
    stop: (graceMs = 0) => (stopped ??= stop(graceMs)),
    [Symbol.asyncDispose]: () => (stopped ??= stop(0)),
  };
}
