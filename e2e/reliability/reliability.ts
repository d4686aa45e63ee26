import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Resources } from '../../bench/gateway/resources';
import { createRandom, hash } from '../../gateway/differential/random';
import { newId } from '../../platform/ids';
import { repositoryRoot } from '../../platform/root';
import { startTestRedis } from '../../platform/testing/redis';
import { waitFor } from '../../platform/testing/wait';
import { startDatabase } from '../chaos/database';
import { JobWriter, stepNames } from '../chaos/job-writer';
import { Service } from '../chaos/service';
import { Store } from '../chaos/store';
import { planFaults } from './fault-plan';
import { letHappen, type Happened } from './faults';
import { readHistory } from './history';
import type { ReliabilityOptions } from './options';
import { reportOf, type ReliabilityReport } from './report';
import { Results } from './results';

const STEPS = stepNames(4);
/** Jobs one worker runs at once, so that a kill hits several. */
const CONCURRENCY = 4;
/** Jobs are queued while others run: so many more than there are results. */
const BACKLOG = 120;
/** How long the last jobs may take; what was killed last comes back after its lease. */
const END_LIMIT_MS = 120_000;

/**
 * Runs jobs while workers are killed and the database is stopped by chance, and judges all that was committed. Does not
 * reject for what it is there to find: the report tells.
 */
export async function runReliability(options: ReliabilityOptions): Promise<ReliabilityReport> {
  const startedAt = performance.now();
  await using resources = new Resources();
  const stage = await setUp(options, resources);
  const acknowledged: string[] = [];
  const happened: Happened = { kills: [], outages: [] };
  options.tell(`seed ${options.seed}, ${options.backend}: all is up`);
  let failure: string | null = null;
  const over = new AbortController();
  const endAll = (error: unknown): never => {
    over.abort();
    throw error;
  };
  try {
    const works = [
      queueJobs(stage, options, acknowledged, over.signal),
      letHappen(planFaults(options), { ...stage, tell: options.tell }, happened, over.signal),
    ];
    await Promise.all(works.map((work) => work.catch(endAll)));
    await allEnded(stage.store);
  } catch (error) {
    failure = (error as Error).message;
  }
  const history = await readHistory(stage.store, { acknowledged, steps: STEPS });
  const unexpectedEndings = stage.workers.flatMap((worker) => worker.unexpectedEndings);
  return reportOf({ options, history, happened, unexpectedEndings, failure, startedAt });
}

type Stage = Awaited<ReturnType<typeof setUp>>;

async function setUp(options: ReliabilityOptions, resources: Resources) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sauti-reliability-'));
  await chmod(folder, 0o755); // or root's database, which runs as another user, would keep its data elsewhere
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const database = resources.use(await startDatabase(path.join(folder, 'postgres')));
  const redis = options.backend === 'redis' ? resources.use(await startTestRedis()) : null;
  const store = resources.use(new Store(database.url));
  const writer = resources.use(new JobWriter(database.url, STEPS));
  await writer.prepare();
  const env = { WORKER_CONCURRENCY: String(CONCURRENCY), STEPS_SCRATCH: folder, REDIS_URL: redis?.url ?? '' };
  const workers = Array.from({ length: options.workers }, (_, number) =>
    resources.use(startWorker(`worker-${number + 1}`, database.url, env)),
  );
  await Promise.all(workers.map((worker) => worker.ready()));
  return { database, store, writer, workers, results: new Results(store) };
}

function startWorker(name: string, databaseUrl: string, env: Record<string, string>): Service {
  const testing = path.join(repositoryRoot(), 'platform/testing');
  // Prisma's query compiler is WebAssembly: compiled in the quick way a process is up in half the time.
  const script = ['--liftoff-only', '-r', path.join(testing, 'register.cjs'), path.join(testing, 'steps-worker.ts')];
  return new Service({ name, kind: 'worker', args: [...script, databaseUrl], env, readyWhen: { prints: 'ready\n' } });
}

/** Queues jobs of random accounts while others run; each counts once its transaction was acknowledged. */
async function queueJobs(
  { writer, results }: Stage,
  options: ReliabilityOptions,
  acknowledged: string[],
  signal: AbortSignal,
): Promise<void> {
  const random = createRandom(hash(`${options.seed} jobs`));
  const owners = Array.from({ length: options.owners }, () => newId('usr'));
  for (let number = 0; number < options.jobs && !signal.aborted; number++) {
    await results.reached(number - BACKLOG, signal);
    acknowledged.push(await writer.add(random.pick(owners), `subject-${number}`));
  }
}

async function allEnded(store: Store): Promise<void> {
  const isDone = async (): Promise<boolean> => {
    const open = await store.query(
      `select 1 from platform.job where state not in ('SUCCEEDED', 'FAILED', 'CANCELED') limit 1`,
    );
    return open.length === 0;
  };
  await waitFor('every job to end', isDone, END_LIMIT_MS);
}
