import os from 'node:os';
import { openDatabase } from '../database/database';
import { Notifications } from '../database/notifications';
import { EventLog } from '../events/event-log';
import { Dispatcher } from '../jobs/dispatcher';
import { JobRunner } from '../jobs/job-runner';
import { createJobQueue } from '../jobs/queue';
import type { Logger } from '../logger';
import { stepsHandler } from './steps-job';

/**
 * A worker process that tests may freeze and kill: `node -r ./platform/testing/register.cjs steps-worker.ts DATABASE_URL`.
 * REDIS_URL and WORKER_CONCURRENCY (default 1) as for the real worker; STEPS_SCRATCH is its directory for temporary files.
 */
async function main(databaseUrl: string): Promise<void> {
  const tell = (_details: object, message: string): void => void process.stdout.write(`${message}\n`);
  const logger: Logger = { debug: tell, info: tell, warn: tell, error: tell, child: () => logger };
  const database = openDatabase({ url: databaseUrl, applicationName: 'sauti:steps-worker' });
  const notifications = new Notifications(databaseUrl, logger);
  await notifications.start();
  const events = new EventLog(database, notifications, logger);
  const queue = createJobQueue({ databaseUrl, redisUrl: process.env['REDIS_URL'], logger });
  new Dispatcher(database, notifications, queue, logger);
  const handlers = [stepsHandler({ database })];
  new JobRunner({
    database,
    events,
    notifications,
    queue,
    handlers,
    concurrency: Number(process.env['WORKER_CONCURRENCY'] ?? 1),
    scratchDirectory: process.env['STEPS_SCRATCH'] ?? os.tmpdir(),
    logger,
  });
  tell({}, 'ready');
}

void main(process.argv[2]!);
