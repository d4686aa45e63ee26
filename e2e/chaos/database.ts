import path from 'node:path';
import { startEmbeddedPostgres } from '../../platform/database/embedded';
import { readPostmaster } from '../../platform/database/embedded/postmaster';
import { waitFor } from '../../platform/testing/wait';
import { migrate, migrateQueue } from '../../platform/database/migrate';
import { READY_LIMIT_MS, type Target } from './target';

export interface ChaosDatabase extends Target, AsyncDisposable {
  readonly url: string;
}

/**
 * What a crash of the server's processes can take is on trial, what a power cut can take is not: commits wait for the
 * operating system, not for the disk.
 */
const SETTINGS = { fsync: 'off' };

/** A PostgreSQL of its own with every table in place. When it is killed this process starts it again on the same port. */
export async function startDatabase(dataDir: string): Promise<ChaosDatabase> {
  const server = await startEmbeddedPostgres({ dataDir, database: 'sauti', settings: SETTINGS });
  await migrate(server.url);
  await migrateQueue(server.url);
  const postmaster = () => readPostmaster(path.join(server.dataDir, 'cluster'));
  let killed: number | undefined;
  return {
    name: 'database',
    kind: 'database',
    url: server.url,
    async kill() {
      const { pid } = await waitFor('the database to run', postmaster, READY_LIMIT_MS);
      killed = pid;
      process.kill(pid, 'SIGKILL');
      await waitFor('the database to end', () => postmaster()?.pid !== pid);
    },
    async ready() {
      const isBack = (): boolean => postmaster()?.ready === true && postmaster()?.pid !== killed;
      await waitFor('the database to be back', isBack, READY_LIMIT_MS);
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
