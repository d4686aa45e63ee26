import type { EventLog } from '../../../platform/events/event-log';
import { createJob, type Job } from '../../../platform/jobs/job';
import { exportTranscriptJob } from '../jobs/export-transcript';
import { translateTranscriptJob } from '../jobs/translate-transcript';
import type { MediaTransaction } from '../records';
import type { TranslationRecords } from '../translating/translation-records';
import type { WantedFile } from './files';

/** What is the same for all jobs that are made of one transcript in one call. */
export interface Derivation {
  ownerId: string;
  mediaId: string;
  transcriptId: string;
  priority: number;
  /** The transcription while it has not ended. */
  needs: readonly string[];
}

/** Writes the jobs that are made of a transcript, in the caller's transaction. They append events: nothing follows but more of them. */
export class DerivedJobs {
  constructor(
    private readonly translations: TranslationRecords,
    private readonly events: EventLog,
  ) {}

  /** A job that translates; the translation is there, empty or as it was, from now on. `size` in characters, if known. */
  async translate(
    tx: MediaTransaction,
    { transcriptId, ...about }: Derivation,
    wanted: { jobId: string; language: string; size: number | null },
  ): Promise<Job> {
    const { jobId, language, size } = wanted;
    const payload = { jobId, transcriptId, language };
    const translationId = await this.translations.open(tx, payload);
    await this.translations.assign(tx, translationId, jobId);
    return createJob(tx, this.events, translateTranscriptJob, { ...jobOf(about), id: jobId, payload, size });
  }

  /** A job that renders a file, and waits for `alsoNeeds` as well. */
  async export(
    tx: MediaTransaction,
    { transcriptId, ...about }: Derivation,
    wanted: WantedFile & { jobId: string; alsoNeeds: readonly string[] },
  ): Promise<Job> {
    const { jobId, alsoNeeds, format, options } = wanted;
    return createJob(tx, this.events, exportTranscriptJob, {
      ...jobOf(about),
      id: jobId,
      payload: { transcriptId, format, options },
      needs: [...new Set([...about.needs, ...alsoNeeds])],
    });
  }
}

function jobOf({ mediaId, ...about }: Omit<Derivation, 'transcriptId'>) {
  return { ...about, subjectId: mediaId };
}
