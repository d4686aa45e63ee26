import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../../../platform/root';
import { waitFor } from '../../../platform/testing/wait';
import { cpuMs } from '../../gateway/system';
import type { Bench } from '../bench';
import type { Figure } from '../../figure';
import { startProgram } from '../program';
import { golden, lasting } from '../recordings';
import { openSautiStage, succeeded, type SautiStage } from '../sauti-stage';

const run = promisify(execFile);

const MINUTES = 3;
/** One process after the other differs by up to 7 % on a shared machine, so both take turns and the sums are compared. */
const ROUNDS = 5;
const ENGINE_LIMIT_MS = 600_000;
const GOAL_RATIO = 1.05;

/** CPU time of whole transcriptions (worker, its engine's processes, ffmpeg) beside that of the library alone. */
export async function measureEngineCpu(bench: Bench): Promise<Figure[]> {
  const short = await golden(bench);
  const file = await lasting(bench, short, MINUTES);
  const pcm = await rawAudio(bench, file);
  await using stage = await openSautiStage(bench, { concurrency: 1 });
  // The library alone is measured once its model is loaded; so is the worker, which has transcribed something before.
  await transcribe(stage, short.file);
  let [bareMs, wholeMs] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    bareMs += await bareEngineMs(pcm);
    const beforeMs = cpuMs(stage.workerPid);
    await transcribe(stage, file);
    wholeMs += cpuMs(stage.workerPid) - beforeMs;
  }
  const ratio = wholeMs / bareMs;
  const perHour = (ms: number): string =>
    `${((ms / ROUNDS / MINUTES / 1_000) * 60).toFixed(0)} s of CPU for an hour of speech`;
  return [
    { title: 'the engine alone', goal: '', value: perHour(bareMs), isMet: null },
    { title: 'a transcription', goal: '', value: perHour(wholeMs), isMet: null },
    {
      title: 'a transcription beside the engine alone',
      goal: `≤ ${GOAL_RATIO} ×`,
      value: `${ratio.toFixed(3)} ×`,
      isMet: ratio <= GOAL_RATIO,
    },
  ];
}

async function rawAudio({ folder }: Bench, file: string): Promise<string> {
  const pcm = path.join(folder, 'bare.pcm');
  await run('ffmpeg', ['-v', 'error', '-y', '-i', file, '-f', 's16le', '-ar', '16000', '-ac', '1', pcm]);
  return pcm;
}

async function bareEngineMs(pcm: string): Promise<number> {
  const register = path.join(repositoryRoot(), 'platform/testing/register.cjs');
  const args = ['-r', register, path.join(repositoryRoot(), 'bench/media/bare-engine.ts'), pcm];
  await using engine = await startProgram({ args, env: {}, isUp: (text) => text.includes('ready\n') });
  const beforeMs = cpuMs(engine.pid);
  await waitFor('the engine to be done', () => engine.printed().endsWith('done\n'), ENGINE_LIMIT_MS);
  return cpuMs(engine.pid) - beforeMs;
}

async function transcribe(stage: SautiStage, recording: string): Promise<void> {
  const { jobId } = await stage.upload(recording, { transcribe: { language: 'en' } });
  await succeeded(stage, jobId!);
}
