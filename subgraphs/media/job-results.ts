import type { Job } from '../../platform/jobs/job';
import type { Loaders } from './context';
import type { MediaJobKind } from './jobs/kinds';
import { refineTranscriptJob } from './jobs/refine-transcript';
import { transcodeJob } from './jobs/transcode';
import { transcribeJob } from './jobs/transcribe';
import { translateTranscriptJob } from './jobs/translate-transcript';
import type { TranscriptRow } from './records';
import type { RenditionRow } from './transcoding/rendition-records';
import type { TranslationRow } from './translating/translation-records';

/** What a job of this slice has made or makes, as the graph's MediaJobResult. */
export type JobResult =
  | (TranscriptRow & { __typename: 'Transcript' })
  | (TranslationRow & { __typename: 'TranscriptTranslation' })
  | (RenditionRow & { __typename: 'Rendition' })
  | { __typename: 'File'; id: string };

/** The result of a job that the viewer has been found to own; null when there is none, or none yet. */
export async function resultOf(job: Job, loaders: Loaders): Promise<JobResult | null> {
  switch (job.kind as MediaJobKind) {
    case 'TRANSCRIBE':
      return transcriptOf(transcribeJob.parse(job.payload), loaders);
    case 'REFINE_TRANSCRIPT':
      return transcriptOf(refineTranscriptJob.parse(job.payload), loaders);
    case 'TRANSLATE_TRANSCRIPT': {
      const { transcriptId, language } = translateTranscriptJob.parse(job.payload);
      if (!(await loaders.ownTranscript.load(transcriptId))) return null;
      const translations = await loaders.translationsOfTranscript.load(transcriptId);
      const translation = translations.find((row) => row.language === language);
      return translation ? { __typename: 'TranscriptTranslation', ...translation } : null;
    }
    case 'EXPORT_TRANSCRIPT': {
      const id = await loaders.fileOfJob.load(job);
      return id === null ? null : { __typename: 'File', id };
    }
    case 'TRANSCODE': {
      const rendition = await loaders.ownRendition.load(transcodeJob.parse(job.payload).renditionId);
      return rendition && { __typename: 'Rendition', ...rendition };
    }
  }
}

async function transcriptOf({ transcriptId }: { transcriptId: string }, loaders: Loaders): Promise<JobResult | null> {
  const transcript = await loaders.ownTranscript.load(transcriptId);
  return transcript && { __typename: 'Transcript', ...transcript };
}
