import path from 'node:path';
import { storePlans } from './credits/plans';
import { openDatabase, type Database } from './database/database';
import { startEmbeddedPostgres } from './database/embedded';
import { migrate, migrateQueue } from './database/migrate';
import { Notifications } from './database/notifications';
import type { MediaLimits, PlatformEnvironment } from './environment';
import { EventLog } from './events/event-log';
import type { Lifecycle } from './lifecycle';
import type { Logger } from './logger';
import { createDiskObjectStore } from './objects/disk-object-store';
import { createRemoteObjects } from './objects/remote-objects';
import { StoredObjects } from './objects/stored-objects';
import { readOrMakeSecret } from './secret';

/** What slices are built from: opened once per process, handed in as an argument. */
export interface Platform {
  readonly database: Database;
  readonly notifications: Notifications;
  readonly events: EventLog;
  readonly objects: StoredObjects;
  readonly logger: Logger;
  /** What every key of this deployment is derived from. */
  readonly secret: string;
  readonly maxFileBytes: number;
  /** Where jobs keep temporary files; on the file system that holds the objects, so that a file can be linked. */
  readonly scratchDirectory: string;
  /** What recordings are taken. */
  readonly mediaLimits: MediaLimits;
  /** Base URL under which clients reach the byte routes of this process; known once it listens. */
  publicUrl(): string;
  /** Base URL of download links: where the files subgraph is reached. */
  filesUrl(): string;
}

/**
 * Opens database (embedded unless `databaseUrl` is given), event log and object store, and brings the schema up to date.
 * Everything is registered with the lifecycle, in the order in which it must be stopped.
 */
export async function openPlatform(options: {
  environment: PlatformEnvironment;
  lifecycle: Lifecycle;
  logger: Logger;
  applicationName: string;
  /** Connections of the pool at most; default as in {@link openDatabase}. */
  poolSize?: number;
  publicUrl: () => string;
  /** Default: `publicUrl`. */
  filesUrl?: () => string;
}): Promise<Platform> {
  const { environment, lifecycle, logger, applicationName, poolSize } = options;
  const databaseUrl = environment.databaseUrl ?? (await openEmbedded(environment.dataDirectory, lifecycle, logger));
  await migrate(databaseUrl);
  if (!environment.redisUrl) await migrateQueue(databaseUrl);

  const database = openDatabase({ url: databaseUrl, applicationName, poolSize });
  lifecycle.onStop('database', () => database[Symbol.asyncDispose]());
  await storePlans(database, environment.plans);
  const notifications = new Notifications(databaseUrl, logger);
  await notifications.start();
  lifecycle.onStop('notifications', () => notifications[Symbol.asyncDispose]());
  const events = new EventLog(database, notifications, logger);
  lifecycle.onStop('event log', async () => events.close());

  const store = createDiskObjectStore(path.join(environment.dataDirectory, 'objects'));
  const secret = environment.secret ?? (await readOrMakeSecret(environment.dataDirectory));
  const remote = environment.fetchFilesFrom && createRemoteObjects({ baseUrl: environment.fetchFilesFrom, secret });
  return {
    database,
    notifications,
    events,
    objects: new StoredObjects(database, store, logger, remote || undefined),
    logger,
    secret,
    maxFileBytes: environment.maxFileBytes,
    scratchDirectory: path.join(environment.dataDirectory, 'scratch'),
    mediaLimits: environment.mediaLimits,
    publicUrl: options.publicUrl,
    filesUrl: options.filesUrl ?? options.publicUrl,
  };
}

async function openEmbedded(dataDirectory: string, lifecycle: Lifecycle, logger: Logger): Promise<string> {
  const server = await startEmbeddedPostgres({
    dataDir: path.join(dataDirectory, 'postgres'),
    database: 'sauti',
    report: (message) => logger.warn({}, message),
  });
  lifecycle.onStop('embedded PostgreSQL', () => server.stop(), 20_000);
  return server.url;
}
