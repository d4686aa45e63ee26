import { newId } from '../../../platform/ids';
import { waitFor } from '../../../platform/testing/wait';
import type { Bench } from '../bench';
import { timesFigure, type Figure } from '../../figure';
import type { Program } from '../program';
import { BACKENDS, openQueueStage, toldAt, type QueueStage } from '../queue-stage';

const ROUNDS = 8;
const JOBS_AT_ONCE = 4;
const GOAL_P99_MS = 10_000;
const WAIT_LIMIT_MS = 60_000;

/** From `kill -9` of a worker to the start of the next attempt of each job it was at, in another worker that is idle. */
export async function measureTakeovers(bench: Bench): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const backend of BACKENDS) {
    await using stage = await openQueueStage(bench, { backend, steps: ['one', 'gate'], concurrency: JOBS_AT_ONCE });
    const ms: number[] = [];
    let victim = await stage.startWorker();
    for (let round = 0; round < ROUNDS; round++) {
      const times = await killOnce(stage, victim);
      ms.push(...times.ms);
      victim = times.heir;
      bench.tell(`  ${backend}, round ${round + 1}: ${times.ms.join(', ')} ms`);
    }
    figures.push(timesFigure(`kill -9 → next attempt on ${backend}, p50`, ms, 0.5, GOAL_P99_MS));
    figures.push(timesFigure(`kill -9 → next attempt on ${backend}, p99`, ms, 0.99, GOAL_P99_MS));
  }
  return figures;
}

async function killOnce(stage: QueueStage, victim: Program): Promise<{ ms: number[]; heir: Program }> {
  const ids: string[] = [];
  for (let number = 0; number < JOBS_AT_ONCE; number++) ids.push(await stage.writer.add(newId('usr'), 'x'));
  const isAtWork = async (): Promise<boolean> => (await stepped(stage, ids)) === JOBS_AT_ONCE;
  await waitFor('the jobs to run', isAtWork, WAIT_LIMIT_MS);
  const heir = await stage.startWorker();
  const killedMs = Date.now(); // the database has the same clock
  await victim.kill();
  const ms: number[] = [];
  for (const id of ids) {
    const startMs = await waitFor('the next attempt', () => toldAt(stage.store, id, 'RUNNING', 2), WAIT_LIMIT_MS);
    ms.push(startMs - killedMs);
    await stage.store.query('insert into gate values ($1)', [id]);
  }
  for (const id of ids) await waitFor('the job to end', () => toldAt(stage.store, id, 'SUCCEEDED', 2), WAIT_LIMIT_MS);
  return { ms, heir };
}

async function stepped({ store }: QueueStage, ids: readonly string[]): Promise<number> {
  const rows = await store.query(`select 1 from step where step = 'one' and attempt = 1 and job_id = any($1)`, [ids]);
  return rows.length;
}
