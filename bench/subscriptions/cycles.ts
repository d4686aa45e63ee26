import { cpuMs } from '../gateway/system';
import { measureInTurns, type Bench } from './bench';
import { failureOf, tallyFigures, type Row } from './figures';
import { untilIdle, untilStarted, type Stage } from './stage';

const SOCKETS = 20;
const PER_SOCKET = 40;
const AT_ONCE = SOCKETS * PER_SOCKET;
/** The part of the cycles that runs before the first weighing: caches and compiled code are no leak. */
const WARM_UP_PART = 0.1;

/** Subscribes, waits until every subscriber has had a line, and ends the subscriptions, again and again. */
export function measureCycles(bench: Bench, turn: number): Promise<Row[]> {
  const { cycles } = bench.options;
  const title = `${cycles} subscribe/complete cycles`;
  return measureInTurns(bench, turn, {
    key: 'cycles',
    title,
    async run(stage) {
      await cycle(stage, 'warm-up', Math.ceil((cycles * WARM_UP_PART) / AT_ONCE));
      const before = await stage.heapBytes();
      const cpuBefore = cpuMs(stage.process.pid);
      const rounds = Math.ceil(cycles / AT_ONCE);
      const tally = await cycle(stage, 'measured', rounds);
      const cpuMsPerCycle = (cpuMs(stage.process.pid) - cpuBefore) / (rounds * AT_ONCE);
      const heapGrowthBytes = (await stage.heapBytes()) - before;
      const figures = { ...tallyFigures(tally), cpuMsPerCycle, heapGrowthBytes };
      return { figures, failure: failureOf([tally]) };
    },
  });
}

async function cycle(stage: Stage, job: string, rounds: number) {
  const { load, process } = stage;
  const spec = { port: process.port, job, sockets: SOCKETS, perSocket: PER_SOCKET };
  await load.open(job, { ...spec, selections: 'same', fields: ['lines'] });
  let seq = await untilStarted(stage, job, [job]);
  for (let round = 1; round < rounds; round += 1) {
    await load.tell(job, 'resubscribe');
    seq = await untilStarted(stage, job, [job]);
  }
  const tally = await load.tally(job, seq);
  await load.tell(job, 'close');
  await untilIdle(stage);
  return tally;
}
