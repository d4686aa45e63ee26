import { timesFigure, type Figure } from '../../figure';
import { openSautiStage } from '../../media/sauti-stage';
import type { LiveBench } from '../live-bench';
import { hearOnce } from '../round';

const ROUNDS = 3;

/** How late words and finals reach a subscriber who reads over a WebSocket, plainly and with a translation. */
export async function measureLatency(bench: LiveBench): Promise<Figure[]> {
  await using stage = await openSautiStage(bench, { concurrency: 1 });
  const figures: Figure[] = [];
  for (const how of ['plain', 'translated'] as const) {
    const words: number[] = [];
    const finals: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { latencies } = await hearOnce(stage, bench.speech, how);
      words.push(...latencies.words);
      finals.push(...latencies.finals);
    }
    const title = how === 'plain' ? '' : ', with its translation';
    figures.push(
      timesFigure(`word → subscriber${title}, p50`, words, 0.5, 150),
      timesFigure(`word → subscriber${title}, p90`, words, 0.9, 450),
      timesFigure(`end of speech → final${title}, p90`, finals, 0.9, 1_000),
      timesFigure(`end of speech → final${title}, longest`, finals, 1, 1_000),
    );
  }
  return figures;
}
