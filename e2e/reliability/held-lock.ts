import { Client } from 'pg';

/** Locks that a test holds in a transaction of its own, so that a worker stands still where it needs one of them. */
export interface HeldLock extends AsyncDisposable {
  /** How many other sessions wait for it. */
  waiting(): Promise<number>;
}

/** Takes the locks that the statement takes; they are held until it is disposed. No time limit ends its session. */
export async function holdLock(databaseUrl: string, statement: string, values: string[] = []): Promise<HeldLock> {
  const [holder, observer] = [new Client(databaseUrl), new Client(databaseUrl)];
  await Promise.all([holder.connect(), observer.connect()]);
  for (const client of [holder, observer]) client.on('error', () => undefined); // a test that failed took the database away
  await holder.query('begin');
  await holder.query(statement, values);
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
  const { pid } = rows[0]!;
  return {
    async waiting() {
      const waiting = 'select 1 from pg_stat_activity where $1 = any(pg_blocking_pids(pid))';
      return (await observer.query(waiting, [pid])).rowCount ?? 0;
    },
    async [Symbol.asyncDispose]() {
      await holder.query('rollback');
      await Promise.all([holder.end(), observer.end()]);
    },
  };
}
