import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { startDatabase } from '../../e2e/chaos/database';
import { JobWriter } from '../../e2e/chaos/job-writer';
import { Store } from '../../e2e/chaos/store';
import { repositoryRoot } from '../../platform/root';
import { startTestRedis } from '../../platform/testing/redis';
import { Resources } from '../gateway/resources';
import type { Bench } from './bench';
import { startProgram, type Program } from './program';

/** The two things that can hand out jobs. */
export const BACKENDS = ['PostgreSQL', 'Redis'] as const;
export type Backend = (typeof BACKENDS)[number];

/** Jobs of `platform/testing/steps-job.ts` on a database of their own, run by worker processes. */
export interface QueueStage extends AsyncDisposable {
  store: Store;
  writer: JobWriter;
  startWorker(): Promise<Program>;
}

export async function openQueueStage(
  { folder }: Bench,
  options: { backend: Backend; steps: readonly string[]; concurrency: number },
): Promise<QueueStage> {
  const resources = new Resources();
  const data = await mkdtemp(path.join(folder, 'queue-'));
  const database = resources.use(await startDatabase(path.join(data, 'postgres')));
  const redis = options.backend === 'Redis' ? resources.use(await startTestRedis()) : null;
  const store = resources.use(new Store(database.url));
  const writer = resources.use(new JobWriter(database.url, options.steps));
  await writer.prepare();
  const testing = path.join(repositoryRoot(), 'platform/testing');
  const args = ['-r', path.join(testing, 'register.cjs'), path.join(testing, 'steps-worker.ts'), database.url];
  const env = {
    WORKER_CONCURRENCY: String(options.concurrency),
    STEPS_SCRATCH: data,
    REDIS_URL: redis?.url ?? '',
  };
  return {
    store,
    writer,
    startWorker: async () => resources.use(await startProgram({ args, env, isUp: (text) => text.includes('ready\n') })),
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  };
}

/** When the state of an attempt was first told, by the database's clock, in milliseconds; undefined when it was not. */
export async function toldAt(store: Store, jobId: string, state: string, attempt: number): Promise<number | undefined> {
  const [row] = await store.query<{ at: Date }>(
    `select at from platform.event where topic like 'jobs:%' and payload->>'jobId' = $1 and payload->>'state' = $2
       and (payload->>'attempt')::int = $3 order by seq limit 1`,
    [jobId, state, attempt],
  );
  return row?.at.getTime();
}
