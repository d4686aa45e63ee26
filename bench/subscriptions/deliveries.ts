import { Resources } from '../gateway/resources';
import { cpuMs } from '../gateway/system';
import { rotated, type Bench } from './bench';
import { failureOf, eventFigures, tallyFigures, type Figures, type Row, type ScenarioKey } from './figures';
import type { EventFigures } from './load-messages';
import { startStage, untilIdle, untilStarted, type Stage } from './stage';
import type { SelectionGroup, StreamName } from './workload';

/** A scenario in which lines are announced and reach everybody. */
export interface DeliveryShape {
  key: ScenarioKey;
  title: string;
  sockets: number;
  perSocket: number;
  selections: SelectionGroup;
  fields: StreamName[];
  lines: number;
  /** Lines that are announced right after each other; the next ones when these have reached all. */
  burst: number;
}

/** Bursts after which the other target has its turn. */
const BLOCK = 5;
const REACH_LIMIT_MS = 120_000;
const JOB = 'measured';

/**
 * Measures all targets with the same audience. They run at once and take turns, so that what else happens on the machine
 * meets them alike.
 */
export async function measureDeliveries(bench: Bench, turn: number, shape: DeliveryShape): Promise<Row[]> {
  await using resources = new Resources();
  const contenders: Contender[] = [];
  for (const target of rotated(bench.options.targets, turn)) {
    bench.tell(`${shape.title}: ${target} is filled`);
    const contender = newContender(target);
    contenders.push(contender);
    await during(contender, async () => {
      contender.stage = resources.use(await startStage(target, bench.stage));
      await fill(contender, contender.stage, shape);
    });
  }
  const bursts = Math.ceil(shape.lines / shape.burst);
  for (let done = 0, block = 0; done < bursts; done += BLOCK, block += 1)
    for (const contender of rotated(contenders, block)) {
      bench.tell(`${shape.title}: ${contender.target}, lines from ${done * shape.burst + 1} of ${shape.lines}`);
      const count = Math.min(BLOCK, bursts - done);
      await during(contender, (stage) => announce(contender, stage, shape, count));
    }
  for (const contender of contenders) await during(contender, (stage) => finish(contender, stage));
  return contenders.map(({ target, figures, failure }) => ({
    key: shape.key,
    title: shape.title,
    target,
    figures,
    failure,
  }));
}

interface Contender {
  target: Row['target'];
  stage: Stage | null;
  figures: Figures;
  failure: string | null;
  events: EventFigures[];
  cpuMs: number;
  loadCpuMs: number;
  entityCalls: number;
  lines: number;
  finalSeq: number;
}

function newContender(target: Row['target']): Contender {
  const totals = { events: [], cpuMs: 0, loadCpuMs: 0, entityCalls: 0, lines: 0, finalSeq: 0 };
  return { target, stage: null, figures: {}, failure: null, ...totals };
}

/** The first failure of a contender ends its part; the others go on. */
async function during(contender: Contender, step: (stage: Stage) => Promise<void>): Promise<void> {
  if (contender.failure !== null) return;
  try {
    await step(contender.stage as Stage); // the step that starts it does not look at it
  } catch (error) {
    contender.failure = error instanceof Error ? error.message : String(error);
  }
}

/** Warms up with a few subscribers, then lets all come and weighs what they cost while nothing happens. */
async function fill(contender: Contender, stage: Stage, shape: DeliveryShape): Promise<void> {
  const { load, source, process } = stage;
  const { selections, fields, sockets, perSocket } = shape;
  const common = { port: process.port, selections, fields };
  await load.open('warm-up', { ...common, job: 'warm-up', sockets: 2, perSocket: 40 });
  await untilStarted(stage, 'warm-up', ['warm-up']);
  const seq = await source.publish('warm-up', WARM_UP_LINES, 20);
  if (!(await load.hasReached('warm-up', seq, REACH_LIMIT_MS))) throw new Error('the warm-up did not reach all');
  await load.tell('warm-up', 'close');
  await untilIdle(stage);
  const before = await stage.heapBytes();
  await load.open('all', { ...common, job: JOB, sockets, perSocket });
  contender.finalSeq = await untilStarted(stage, JOB, ['all']);
  const after = await stage.heapBytes();
  const { readersOpen } = await source.count();
  const subscribers = sockets * perSocket;
  contender.figures = {
    subscribers,
    // Of the raw server these are its own iterators: there is nothing behind it.
    ...(contender.target === 'sauti' ? { upstreams: readersOpen } : {}),
    heapPerSubscriberBytes: (after - before) / subscribers,
  };
}

const WARM_UP_LINES = 100;

async function announce(contender: Contender, stage: Stage, shape: DeliveryShape, bursts: number): Promise<void> {
  const { load, source, process } = stage;
  const from = contender.finalSeq + 1;
  const before = await source.count();
  const cpuBefore = cpuMs(process.pid);
  const loadCpuBefore = cpuMs(load.pid);
  for (let burst = 0; burst < bursts; burst += 1) {
    contender.finalSeq = await source.publish(JOB, shape.burst, 20);
    if (await load.hasReached('all', contender.finalSeq, REACH_LIMIT_MS)) continue;
    await finish(contender, stage);
    throw new Error(`line ${contender.finalSeq} did not reach all in ${REACH_LIMIT_MS / 1_000} s`);
  }
  contender.cpuMs += cpuMs(process.pid) - cpuBefore;
  contender.loadCpuMs += cpuMs(load.pid) - loadCpuBefore;
  contender.entityCalls += (await source.count()).entityCalls - before.entityCalls;
  contender.lines += contender.finalSeq - from + 1;
  contender.events.push(...(await load.figures('all', from, contender.finalSeq)));
}

async function finish(contender: Contender, { load, target }: Stage): Promise<void> {
  const tally = await load.tally('all', contender.finalSeq);
  const { lines, cpuMs: spentMs, loadCpuMs, entityCalls, events } = contender;
  const figures = { ...contender.figures, ...tallyFigures(tally), ...eventFigures(events) };
  const thousands = (figures.deliveries ?? 0) / 1_000;
  contender.failure = failureOf([tally]);
  contender.figures = {
    ...figures,
    ...(lines > 0 ? { cpuMsPer1000: spentMs / thousands, loadCpuMsPer1000: loadCpuMs / thousands } : {}),
    ...(lines > 0 && target === 'sauti' ? { entityCallsPerEvent: entityCalls / lines } : {}),
  };
}
