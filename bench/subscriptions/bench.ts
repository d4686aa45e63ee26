import type { Row, ScenarioKey } from './figures';
import type { Options } from './options';
import { startStage, type Stage, type StageOptions, type TargetName } from './stage';

/** What every scenario gets. */
export interface Bench {
  options: Options;
  stage: StageOptions;
  /** Tells progress. */
  tell: (progress: string) => void;
}

interface Measurable {
  key: ScenarioKey;
  title: string;
  /** Measures one target that was just started; what it throws becomes the reason of a failure. */
  run: (stage: Stage) => Promise<Pick<Row, 'figures' | 'failure'>>;
}

/** Measures one target after the other, each started anew; `turn` says who is first. */
export async function measureInTurns(bench: Bench, turn: number, { key, title, run }: Measurable): Promise<Row[]> {
  const rows: Row[] = [];
  for (const target of rotated(bench.options.targets, turn)) {
    bench.tell(`${title}: ${target}`);
    rows.push({ key, title, target, ...(await attempt(() => onStage(bench, target, run))) });
  }
  return rows;
}

async function onStage<Result>(
  { stage: options }: Bench,
  target: TargetName,
  run: (stage: Stage) => Promise<Result>,
): Promise<Result> {
  await using stage = await startStage(target, options);
  return await run(stage);
}

/** A scenario that cannot be run is a row that says why. */
export async function attempt(
  run: () => Promise<Pick<Row, 'figures' | 'failure'>>,
): Promise<Pick<Row, 'figures' | 'failure'>> {
  try {
    return await run();
  } catch (error) {
    return { figures: {}, failure: error instanceof Error ? error.message : String(error) };
  }
}

export function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const start = by % Math.max(1, items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}
