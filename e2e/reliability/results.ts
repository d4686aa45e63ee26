import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../chaos/store';

const LOOK_MS = 50;
/** Without one more result for this long, something hangs: a dead worker's job is back far sooner. */
const STANDSTILL_MS = 120_000;

/** How many results the jobs have committed so far. */
export class Results {
  count = 0;

  constructor(private readonly store: Store) {}

  /** Resolves when there are that many, or the signal aborts; rejects when they do not become more for two minutes. */
  async reached(wanted: number, signal: AbortSignal): Promise<void> {
    let lastRiseAt = performance.now();
    while (this.count < wanted && !signal.aborted) {
      const [row] = await this.store.query<{ count: string }>(`select count(*) from step where step = 'result'`);
      const count = Number(row!.count);
      if (count > this.count) lastRiseAt = performance.now();
      if (performance.now() - lastRiseAt > STANDSTILL_MS) throw new Error(`There were no more than ${count} results.`);
      this.count = count;
      if (count < wanted) await sleep(LOOK_MS);
    }
  }
}
