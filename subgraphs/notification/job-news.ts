import type { FinishedJob } from '../../platform/jobs/job';

/** The words of a notification. */
export interface News {
  topic: string;
  title: string;
  body: string;
}

/** What to tell the owner about the end of a job; null when there is nothing to tell, as for a job they canceled. */
export function newsOf(job: FinishedJob): News | null {
  if (job.kind === 'TRANSCRIBE') return transcriptNews(job);
  return null;
}

function transcriptNews({ state, error }: FinishedJob): News | null {
  if (state === 'SUCCEEDED') {
    return {
      topic: 'transcript.ready',
      title: 'Your transcript is ready',
      body: 'Your recording has been turned into text, which you can read and export now.',
    };
  }
  if (state === 'FAILED') {
    const body = error?.message || 'No reason was given.';
    return { topic: 'transcript.failed', title: 'Transcription failed', body };
  }
  return null;
}
