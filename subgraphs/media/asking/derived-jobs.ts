import type { EventLog } from '../../../platform/events/event-log';
import { newId } from '../../../platform/ids';
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
  /** See {@link callOf}. */
  callId: string | null;
  /** The transcription while it has not ended. */
  needs: readonly string[];
}

/** What shall be made of a transcript, each by the job with this id. */
export interface WantedResults {
  translations: readonly { jobId: string; language: string }[];
  files: readonly (WantedFile & { jobId: string })[];
}

/** Writes the jobs that are made of a transcript, in the caller's transaction. They append events: nothing follows but more of them. */
export class DerivedJobs {
  constructor(
    private readonly translations: TranslationRecords,
    private readonly events: EventLog,
  ) {}

  /** Translations, and files of which each waits for the translation it shows, if that is among them. In this order. */
  async begin(tx: MediaTransaction, about: Derivation, wanted: WantedResults): Promise<Job[]> {
    const jobs: Job[] = [];
    const { transcriptId } = about;
    const size = about.needs.length > 0 ? null : await this.translations.charactersOf(tx, transcriptId);
    for (const { jobId, language } of wanted.translations) {
      const payload = { jobId, transcriptId, language };
      const translationId = await this.translations.open(tx, payload);
      await this.translations.assign(tx, translationId, jobId);
      jobs.push(
        await createJob(tx, this.events, translateTranscriptJob, { ...jobOf(about), id: jobId, payload, size }),
      );
    }
    for (const file of wanted.files) {
      const shown = wanted.translations.find(({ language }) => language === file.options.translation);
      jobs.push(await this.export(tx, about, { ...file, alsoNeeds: shown ? [shown.jobId] : [] }));
    }
    return jobs;
  }

  /** A job that renders a file, and waits for `alsoNeeds` as well. */
  async export(
    tx: MediaTransaction,
    about: Derivation,
    wanted: WantedFile & { jobId: string; alsoNeeds: readonly string[] },
  ): Promise<Job> {
    const { jobId, alsoNeeds, format, options } = wanted;
    return createJob(tx, this.events, exportTranscriptJob, {
      ...jobOf(about),
      id: jobId,
      payload: { transcriptId: about.transcriptId, format, options },
      needs: [...new Set([...about.needs, ...alsoNeeds])],
    });
  }
}

/** What tells that these jobs were made by one call: its first one; null for one alone. */
export function callOf(jobIds: readonly string[]): string | null {
  return jobIds.length > 1 ? jobIds[0]! : null;
}

/** Makes ids for jobs of one call that sort in the order in which they are made: ids of one millisecond would not. */
export function orderedJobIds(): () => string {
  let last = 0;
  return () => {
    last = Math.max(last + 1, Date.now());
    return newId('job', last);
  };
}

function jobOf({ ownerId, mediaId, priority, callId, needs }: Derivation) {
  return { ownerId, subjectId: mediaId, priority, callId, needs };
}
