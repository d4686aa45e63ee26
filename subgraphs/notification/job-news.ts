import type { FinishedJob, JobState } from '../../platform/jobs/job';

/** The words of a notification. */
export interface News {
  topic: string;
  title: string;
  body: string;
}

/** A job of a chain: jobs that need each other or that one call has made, directly or through others. */
export interface ChainJob {
  id: string;
  kind: string;
  state: JobState;
}

/** What people call the results of a kind of job, and what they can do with one. */
interface Wording {
  noun: string;
  one: string;
  many: string;
  ready: string;
  failed: string;
}

const WORDINGS: Readonly<Record<string, Wording>> = {
  TRANSCRIBE: {
    noun: 'transcript',
    one: 'transcript',
    many: 'transcripts',
    ready: 'Your recording has been turned into text, which you can read and export now.',
    failed: 'Transcription failed',
  },
  TRANSLATE_TRANSCRIPT: {
    noun: 'translation',
    one: 'translation',
    many: 'translations',
    ready: 'Your transcript has been translated; you can read and export the translation now.',
    failed: 'Translation failed',
  },
  EXPORT_TRANSCRIPT: {
    noun: 'file',
    one: 'file',
    many: 'files',
    ready: 'Your transcript has been written to a file, which you can download now.',
    failed: 'Export failed',
  },
  TRANSCODE: {
    noun: 'rendition',
    one: 'other version',
    many: 'other versions',
    ready: 'Another version of your recording has been made, which you can play and download now.',
    failed: 'Conversion failed',
  },
  REFINE_TRANSCRIPT: {
    noun: 'refinement',
    one: 'refined transcript',
    many: 'refined transcripts',
    ready: 'What was said live has been heard again from the recording, and its transcript has been made better.',
    failed: 'Hearing a live recording again failed',
  },
  EXPORT_ACCOUNT: {
    noun: 'archive',
    one: 'archive',
    many: 'archives',
    ready: 'Everything that we keep about you has been packed into an archive, which you can download for seven days.',
    failed: 'Packing your data failed',
  },
};

/**
 * Why a job failed, for its owner; null when there is nothing to tell: it did not fail, or only because another one did,
 * which tells it.
 */
export function failureNews({ kind, state, error }: FinishedJob): News | null {
  const wording = WORDINGS[kind];
  if (!wording || state !== 'FAILED' || error?.code === 'DEPENDENCY_FAILED') return null;
  return { topic: `${wording.noun}.failed`, title: wording.failed, body: error?.message || 'No reason was given.' };
}

/**
 * What a chain has made, told once nothing of it is under way any more; null before that, and when it has made nothing.
 * A job that belongs to no other is a chain of one.
 */
export function readyNews(chain: readonly ChainJob[], finalStates: readonly JobState[]): News | null {
  if (chain.some(({ state }) => !finalStates.includes(state))) return null;
  const done = chain.filter(({ kind, state }) => state === 'SUCCEEDED' && WORDINGS[kind]);
  if (done.length === 0) return null;
  const [first] = done.map(({ kind }) => WORDINGS[kind]!);
  if (done.length === 1)
    return { topic: `${first!.noun}.ready`, title: `Your ${first!.one} is ready`, body: first!.ready };
  const counts = Object.entries(WORDINGS).flatMap(([kind, wording]) => {
    const count = done.filter((job) => job.kind === kind).length;
    return count === 0 ? [] : [count === 1 ? `1 ${wording.one}` : `${count} ${wording.many}`];
  });
  const body = `${listed(counts)} of your recording can be read or downloaded now.`;
  return { topic: 'results.ready', title: 'Your results are ready', body };
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
