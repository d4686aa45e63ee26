import os from 'node:os';
import { parseArgs } from 'node:util';
import { openDatabase } from '../database/database';
import { Notifications } from '../database/notifications';
import { EventLog } from '../events/event-log';
import { Dispatcher } from '../jobs/dispatcher';
import { JobRunner } from '../jobs/job-runner';
import { createJobQueue } from '../jobs/queue';
import type { Logger } from '../logger';
import { stepsHandler } from './steps-job';

/**
 * A worker process that tests may freeze and kill:
 * `node -r ./platform/testing/register.cjs steps-worker.ts DATABASE_URL [--redis URL] [--concurrency N] [--scratch FOLDER]`.
 */
async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      redis: { type: 'string' },
      concurrency: { type: 'string', default: '1' },
      scratch: { type: 'string', default: os.tmpdir() },
    },
  });
  const databaseUrl = positionals[0]!;
  const tell = (_details: object, message: string): void => void process.stdout.write(`${message}\n`);
  const logger: Logger = { debug: tell, info: tell, warn: tell, error: tell, child: () => logger };
  const database = openDatabase({ url: databaseUrl, applicationName: 'sauti:steps-worker' });
  const notifications = new Notifications(databaseUrl, logger);
  await notifications.start();
  const events = new EventLog(database, notifications, logger);
  const queue = createJobQueue({ databaseUrl, redisUrl: values.redis, logger });
  new Dispatcher(database, notifications, queue, logger);
  const handlers = [stepsHandler({ database })];
  new JobRunner({
    database,
    events,
    notifications,
    queue,
    handlers,
    concurrency: Number(values.concurrency),
    scratchDirectory: values.scratch,
    logger,
  });
  tell({}, 'ready');
}

void main();
