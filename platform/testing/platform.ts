import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Plan } from '../credits/plans';
import { DEFAULT_MEDIA_LIMITS } from '../environment';
import { Lifecycle } from '../lifecycle';
import { silentLogger, type Logger } from '../logger';
import { openPlatform, type Platform } from '../platform';
import { createTestDatabase } from './database';

export interface TestPlatform extends AsyncDisposable {
  readonly platform: Platform;
  /** Where its object store and secret live; removed with it. */
  readonly dataDirectory: string;
}

export interface TestPlatformOptions {
  /** Default 64 MiB. */
  maxFileBytes?: number;
  /** Default: swallows everything. */
  logger?: Logger;
  /** What `platform.publicUrl()` answers; default `http://localhost:4000`. */
  publicUrl?: () => string;
  /** Where `objects.placeAt` fetches bytes; default: from its own disk. */
  fetchFilesFrom?: string;
  /** Default: that of every process. */
  poolSize?: number;
  /** Default: the built-in ones. */
  plans?: readonly Plan[];
}

/** A real platform on a database and a folder of its own; disposing it closes both and leaves nothing behind. */
export async function openTestPlatform(options: TestPlatformOptions = {}): Promise<TestPlatform> {
  const logger = options.logger ?? silentLogger;
  const lifecycle = new Lifecycle(logger);
  const database = await createTestDatabase();
  const dataDirectory = await mkdtemp(path.join(os.tmpdir(), 'sauti-test-'));
  const platform = await openPlatform({
    environment: {
      databaseUrl: database.url,
      redisUrl: null,
      fetchFilesFrom: options.fetchFilesFrom ?? null,
      dataDirectory,
      secret: null,
      logLevel: 'silent',
      production: false,
      maxFileBytes: options.maxFileBytes ?? 64 * 1024 ** 2,
      mediaLimits: DEFAULT_MEDIA_LIMITS,
      plans: options.plans ?? null,
    },
    lifecycle,
    logger,
    applicationName: 'sauti:test',
    poolSize: options.poolSize,
    publicUrl: options.publicUrl ?? (() => 'http://localhost:4000'),
  });
  return {
    platform,
    dataDirectory,
    async [Symbol.asyncDispose]() {
      await lifecycle.stop();
      await database.drop();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}
