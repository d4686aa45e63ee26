import { Client } from 'pg';

/**
 * Runs `work` unless another process is running work under the same lock; answers null then. The advisory lock belongs
 * to a connection of its own, so it ends with this process, however that ends.
 */
export async function runAlone<Result>(
  databaseUrl: string,
  lock: number,
  work: () => Promise<Result>,
): Promise<Result | null> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: 'sauti:alone',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  client.on('error', () => undefined); // the lock is lost with the connection; the work minds nobody working beside it
  await client.connect();
  try {
    const { rows } = await client.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [lock]);
    return rows[0]!.mine ? await work() : null;
  } finally {
    await client.end();
  }
}
