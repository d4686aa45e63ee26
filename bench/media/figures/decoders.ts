import { cpuMs, memoryBytes } from '../../gateway/system';
import { mebibytes } from '../../gateway/table';
import type { Bench } from '../bench';
import type { Figure } from '../../figure';
import { golden, lasting } from '../recordings';
import { openSautiStage, succeeded } from '../sauti-stage';

const GOAL_SPEEDUP = 1.7;
const LOOK_MS = 500;

interface Run {
  wallMs: number;
  cpuMs: number;
  peakBytes: number;
}

/** One long recording, transcribed by a worker that may use one decoder, then by one that may use two. */
export async function measureDecoders(bench: Bench): Promise<Figure[]> {
  const { minutes } = bench.options;
  const speech = await golden(bench);
  const short = await lasting(bench, speech, minutes / 4);
  const long = await lasting(bench, speech, minutes);
  const quarter = await transcribe(bench, short, 2);
  const one = await transcribe(bench, long, 1);
  const two = await transcribe(bench, long, 2);
  const speedup = one.wallMs / two.wallMs;
  const seconds = ({ wallMs, cpuMs: cpu, peakBytes }: Run): string =>
    `${(wallMs / 1_000).toFixed(0)} s, CPU ${(cpu / 1_000).toFixed(0)} s, peak ${mebibytes(peakBytes)} MiB`;
  return [
    { title: `${minutes} min on one decoder`, goal: '', value: seconds(one), isMet: null },
    { title: `${minutes} min on two decoders`, goal: '', value: seconds(two), isMet: null },
    {
      title: 'two decoders beside one',
      goal: `≥ ${GOAL_SPEEDUP} ×`,
      value: `${speedup.toFixed(2)} ×`,
      isMet: speedup >= GOAL_SPEEDUP,
    },
    {
      title: `peak memory, ${minutes} min beside ${minutes / 4} min`,
      goal: 'the same',
      value: `${mebibytes(two.peakBytes)} MiB, ${mebibytes(quarter.peakBytes)} MiB`,
      isMet: two.peakBytes < quarter.peakBytes * 1.15,
    },
  ];
}

/** Time by the database's clock from the start of the job to its end; CPU and memory of the worker and its children. */
async function transcribe(bench: Bench, file: string, concurrency: number): Promise<Run> {
  await using stage = await openSautiStage(bench, { concurrency });
  const cpuBefore = cpuMs(stage.workerPid);
  const { jobId } = await stage.upload(file, { transcribe: { language: 'en' } });
  let peakBytes = 0;
  const timer = setInterval(() => (peakBytes = Math.max(peakBytes, memoryBytes(stage.workerPid).now)), LOOK_MS);
  try {
    const { startedMs, finishedMs } = await succeeded(stage, jobId!);
    return { wallMs: finishedMs! - startedMs!, cpuMs: cpuMs(stage.workerPid) - cpuBefore, peakBytes };
  } finally {
    clearInterval(timer);
  }
}
