import path from 'node:path';
import { startEmbeddedPostgres } from '../../platform/database/embedded';
import { readPostmaster } from '../../platform/database/embedded/postmaster';
import { waitFor } from '../../platform/testing/wait';
import { migrate, migrateQueue } from '../../platform/database/migrate';
import { READY_LIMIT_MS, type Target } from './target';

export interface ChaosDatabase extends Target, AsyncDisposable {
  readonly url: string;
  /** As `pg_ctl stop -m immediate`: it drops everything and has to recover; resolves when it has ended, before it is ready. */
  stopImmediately(): Promise<void>;
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
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const { pid } = await waitFor('the database to run', postmaster, READY_LIMIT_MS);
    killed = pid;
    process.kill(pid, signal);
    await waitFor('the database to end', () => postmaster()?.pid !== pid);
  };
  return {
    name: 'database',
    kind: 'database',
    url: server.url,
    kill: () => end('SIGKILL'),
    stopImmediately: () => end('SIGQUIT'), // what pg_ctl sends
    async ready() {
      const isBack = (): boolean => postmaster()?.ready === true && postmaster()?.pid !== killed;
      await waitFor('the database to be back', isBack, READY_LIMIT_MS);
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
