import { readFileSync } from 'node:fs';
import { descendantsOf } from '../../../e2e/restarts/processes';
import { pause } from '../../../platform/pause';
import { waitFor } from '../../../platform/testing/wait';
import type { Bench } from '../bench';
import { timesFigure, type Figure } from '../../figure';
import { golden, lasting } from '../recordings';
import { jobThat, openSautiStage, readJob, succeeded, type SautiStage } from '../sauti-stage';

const TIMES = 3;
const GOAL_MS = 2_000;
/** Long enough to be still under way when the cancel comes. */
const MINUTES = 4;
const SEGMENTS = 4_000;

/** Brings a job to the stage that is wanted; answers its id, and whom else to cancel afterwards. */
type Scene = (
  stage: SautiStage,
  files: { short: string; long: string },
) => Promise<{ jobId: string; others: string[] }>;

const SCENES: Readonly<Record<string, Scene>> = {
  async waiting(stage, { long }) {
    const { jobId, transcriptId } = await stage.upload(long, { transcribe: { language: 'en' } });
    const waiting = await ask(stage, 'translateTranscript', `{ jobs { id } ${ERRORS} }`, { transcriptId, to: ['es'] });
    return { jobId: waiting.jobs![0]!.id, others: [jobId!] };
  },
  async queued(stage, { long }) {
    const first = await stage.upload(long, { transcribe: { language: 'en' } });
    const second = await stage.upload(long, { transcribe: { language: 'en' } });
    await jobThat(stage, first.jobId!, ({ stage: at }) => at === 'recognize');
    return { jobId: second.jobId!, others: [first.jobId!] };
  },
  async 'fetch or inspect'(stage, { long }) {
    const { jobId } = await stage.upload(long, { transcribe: { language: 'en' } });
    await jobThat(stage, jobId!, ({ state }) => state === 'RUNNING');
    return { jobId: jobId!, others: [] };
  },
  async recognize(stage, { long }) {
    const { jobId } = await stage.upload(long, { transcribe: { language: 'en' } });
    await jobThat(stage, jobId!, ({ stage: at, progress }) => at === 'recognize' && progress > 0);
    return { jobId: jobId!, others: [] };
  },
  async encode(stage, { long }) {
    const { mediaId } = await stage.upload(long, {});
    const made = await ask(stage, 'transcode', `{ job { id } ${ERRORS} }`, { mediaId, preset: 'WEBM' });
    const jobId = made.job!.id;
    await jobThat(stage, jobId, ({ stage: at }) => at !== null && /encod|transcod/.test(at));
    return { jobId, others: [] };
  },
  async translate(stage, { short }) {
    const { jobId, transcriptId } = await stage.upload(short, { transcribe: { language: 'en' } });
    await succeeded(stage, jobId!);
    await lengthen(stage, transcriptId!);
    const made = await ask(stage, 'translateTranscript', `{ jobs { id } ${ERRORS} }`, { transcriptId, to: ['es'] });
    await jobThat(stage, made.jobs![0]!.id, ({ stage: at }) => at === 'translate');
    return { jobId: made.jobs![0]!.id, others: [] };
  },
};

/** From the answer of `cancelJob` to the state CANCELED, and to the moment when no program of the job runs any more. */
export async function measureCancels(bench: Bench): Promise<Figure[]> {
  const speech = await golden(bench);
  const files = { short: speech.file, long: await lasting(bench, speech, MINUTES) };
  await using stage = await openSautiStage(bench, { concurrency: 1 });
  const figures: Figure[] = [];
  for (const [name, scene] of Object.entries(SCENES)) {
    const canceled: number[] = [];
    const quiet: number[] = [];
    bench.tell(`  ${name}`);
    try {
      for (let time = 0; time < TIMES; time++) {
        const { jobId, others } = await scene(stage, files);
        const ms = await cancel(stage, jobId, others.length === 0);
        canceled.push(ms.canceled);
        if (ms.quiet !== null) quiet.push(ms.quiet);
        for (const other of others) await cancel(stage, other, true);
        bench.tell(`  ${name}: ${JSON.stringify(ms)}`);
      }
    } catch (error) {
      bench.tell(`  ${name}: ${(error as Error).message}`);
      figures.push({
        title: `cancel: ${name}`,
        goal: '',
        value: `not measured: ${(error as Error).message}`,
        isMet: null,
      });
      continue;
    }
    figures.push(timesFigure(`cancel: ${name} → CANCELED, longest`, canceled, 1, GOAL_MS));
    if (quiet.length > 0) figures.push(timesFigure(`cancel: ${name} → last program gone, longest`, quiet, 1, GOAL_MS));
  }
  return figures;
}

const ERRORS = 'errors { code message }';

interface Asked {
  job?: { id: string };
  jobs?: { id: string }[];
  errors: { code: string; message: string }[];
}

async function ask({ account }: SautiStage, mutation: string, selection: string, input: object): Promise<Asked> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const answer = await account.ask<Record<string, Asked>>(
    `mutation ($input: ${type}) { asked: ${mutation}(input: $input) ${selection} }`,
    { input },
  );
  const asked = answer['asked']!;
  if (asked.errors.length > 0) throw new Error(asked.errors[0]!.message);
  return asked;
}

/** `quiet` is null unless nothing else may be at work. */
async function cancel(
  stage: SautiStage,
  jobId: string,
  isAlone: boolean,
): Promise<{ canceled: number; quiet: number | null }> {
  await stage.account.ask('mutation ($id: ID!) { cancelJob(input: { jobId: $id }) { errors { code } } }', {
    id: jobId,
  });
  const answeredMs = Date.now(); // the database has the same clock
  const quiet = isAlone
    ? waitFor('its programs to end', () => isQuiet(stage.workerPid)).then(() => Date.now() - answeredMs)
    : null;
  const { state, finishedMs } = await waitFor('the end of the job', async () => {
    const job = await readJob(stage, jobId);
    return job.finishedMs === null ? null : job;
  });
  if (state !== 'CANCELED') throw new Error(`it had ended as ${state} before`);
  return { canceled: Math.max(0, finishedMs! - answeredMs), quiet: await quiet };
}

/** Whether none of the worker's children works: media programs are gone, and engines that are kept wait for the next job. */
async function isQuiet(workerPid: number): Promise<boolean> {
  const before = workOf(workerPid);
  await pause(50, new AbortController().signal);
  const after = workOf(workerPid);
  return !after.hasMediaProgram && after.ticks <= before.ticks;
}

function workOf(workerPid: number): { ticks: number; hasMediaProgram: boolean } {
  const work = { ticks: 0, hasMediaProgram: false };
  for (const pid of descendantsOf(workerPid)) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      work.ticks += Number(fields[11]) + Number(fields[12]);
      work.hasMediaProgram ||= /\((ffmpeg|ffprobe)\)/.test(stat);
    } catch {
      // it has just ended
    }
  }
  return work;
}

/** Gives a transcript so many segments that its translation takes a while. */
async function lengthen({ store }: SautiStage, transcriptId: string): Promise<void> {
  await store.query(
    `insert into media.segment (id, transcript_id, position, start_ms, end_ms, text, language, words)
       select 'seg_' || md5($1 || n), $1, 1000 + n, n * 1000, n * 1000 + 900, 'This is sentence number ' || n || ' of a long talk.', 'en-US', '[]'
         from generate_series(1, ${SEGMENTS}) n on conflict do nothing`,
    [transcriptId],
  );
}
