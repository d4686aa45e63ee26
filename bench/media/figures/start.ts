import { newId } from '../../../platform/ids';
import { waitFor } from '../../../platform/testing/wait';
import type { Bench } from '../bench';
import { timesFigure, type Figure } from '../../figure';
import { BACKENDS, openQueueStage, toldAt } from '../queue-stage';

const JOBS = 200;
const GOAL_P50_MS = 20;

/** From the event that tells of a new job to the one that tells of its start: one job after the other, an idle worker. */
export async function measureStarts(bench: Bench): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const backend of BACKENDS) {
    await using stage = await openQueueStage(bench, { backend, steps: ['one'], concurrency: 2 });
    await stage.startWorker();
    const ms: number[] = [];
    for (let number = 0; number < JOBS; number++) {
      const id = await stage.writer.add(newId('usr'), 'x');
      await waitFor('the job to end', () => toldAt(stage.store, id, 'SUCCEEDED', 1));
      ms.push((await toldAt(stage.store, id, 'RUNNING', 1))! - (await toldAt(stage.store, id, 'QUEUED', 0))!);
    }
    figures.push(timesFigure(`enqueue → start on ${backend}, p50`, ms, 0.5, GOAL_P50_MS));
    figures.push({ ...timesFigure(`enqueue → start on ${backend}, p99`, ms, 0.99, 0), goal: '', isMet: null });
  }
  return figures;
}
