import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../database/embedded';
import { migrate, migrateQueue } from '../database/migrate';
import { createDatabase, testDatabaseUrl } from './database';

/** What the tear-down must undo; jest runs both in one process. */
export const started: { server?: EmbeddedPostgres; temporaryFolder?: string } = {};

const FOLDER_PREFIX = 'sauti-jest-';
/** A test's database lives for seconds: losing it in a power cut does not matter, waiting for the disk does. */
const NOT_DURABLE = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/**
 * One PostgreSQL for the whole run, in a temporary folder (or TEST_DATABASE_URL), with one migrated database that each
 * `createTestDatabase()` copies. The workers find both through their environment.
 */
export default async function globalSetup(): Promise<void> {
  const server = process.env.TEST_DATABASE_URL ?? (await startServer());
  const template = `sauti_template_${process.pid}`;
  process.env.SAUTI_TEST_SERVER = server;
  process.env.SAUTI_TEST_TEMPLATE = template;
  await createDatabase(server, template);
  await migrate(testDatabaseUrl(server, template));
  await migrateQueue(testDatabaseUrl(server, template));
}

async function startServer(): Promise<string> {
  removeLeftovers();
  started.temporaryFolder = mkdtempSync(path.join(os.tmpdir(), `${FOLDER_PREFIX}${process.pid}-`));
  // Private otherwise: as root the server, which runs as somebody else, would have to put its data elsewhere.
  chmodSync(started.temporaryFolder, 0o755);
  started.server = await startEmbeddedPostgres({
    dataDir: path.join(started.temporaryFolder, 'postgres'),
    database: 'postgres',
    settings: NOT_DURABLE,
    report: (message) => console.error(message),
  });
  return started.server.url;
}

/** A run that was killed could not tear down; its server has ended by itself, its folder has not. */
function removeLeftovers(): void {
  for (const name of readdirSync(os.tmpdir()).filter((entry) => entry.startsWith(FOLDER_PREFIX))) {
    const pid = Number(name.slice(FOLDER_PREFIX.length).split('-')[0]);
    if (!isRunning(pid)) rmSync(path.join(os.tmpdir(), name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
