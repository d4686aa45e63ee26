import { quantile, timesFigure, type Figure } from '../../figure';
import { lasting } from '../../media/recordings';
import { jobThat, openSautiStage } from '../../media/sauti-stage';
import type { LiveBench } from '../live-bench';
import { hearOnce } from '../round';

const ROUNDS = 2;
const BATCH_MINUTES = 30;
const GOAL_TIMES = 2;

/** What two sessions and a long recording at once do to the latency of each, in turns with one session alone. */
export async function measureLoad(bench: LiveBench): Promise<Figure[]> {
  const long = await lasting(bench, bench.speech, BATCH_MINUTES);
  await using stage = await openSautiStage(bench, { concurrency: 1 });
  const alone: number[] = [];
  const crowded: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(...(await hearOnce(stage, bench.speech)).latencies.words);
    const { jobId } = await stage.upload(long, { transcribe: { language: 'en' } });
    await jobThat(stage, jobId!, ({ stage: at, progress }) => at === 'recognize' && progress > 0);
    const both = await Promise.all([hearOnce(stage, bench.speech), hearOnce(stage, bench.speech)]);
    crowded.push(...both.flatMap(({ latencies }) => latencies.words));
    await stage.account.ask('mutation ($id: ID!) { cancelJob(input: { jobId: $id }) { errors { code } } }', {
      id: jobId,
    });
    await jobThat(stage, jobId!, ({ state }) => state === 'CANCELED').catch(() => undefined);
  }
  const ratio = (quantile(crowded, 0.9) ?? NaN) / (quantile(alone, 0.9) ?? NaN);
  return [
    timesFigure('word → subscriber, one session alone, p90', alone, 0.9, 450),
    timesFigure('word → subscriber, two sessions and a long recording, p90', crowded, 0.9, 900),
    {
      title: 'the one to the other',
      goal: `≤ ${GOAL_TIMES} ×`,
      value: `${ratio.toFixed(2)} ×`,
      isMet: ratio <= GOAL_TIMES,
    },
  ];
}
