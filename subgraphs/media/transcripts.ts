import type { UserProblemError } from '../../platform/errors';
import type { EventLog } from '../../platform/events/event-log';
import { newId } from '../../platform/ids';
import { createJob, PRIORITIES, type Job } from '../../platform/jobs/job';
import { transcribeJob } from './jobs/transcribe';
import { planRecognition, type RecognitionOptions, type RecognitionPlan } from './recognition';
import type { MediaRecords, MediaRow, MediaTransaction } from './records';
import type { Transcribers } from './transcribers';

/** The BCP 47 tag of a language that is not known yet (ISO 639-2). */
const UNDETERMINED = 'und';

/** Asking for transcripts. */
export class Transcripts {
  constructor(
    private readonly records: MediaRecords,
    private readonly events: EventLog,
    private readonly transcribers: Transcribers,
  ) {}

  plan(options: RecognitionOptions, path: string[]): Promise<RecognitionPlan | UserProblemError> {
    return planRecognition(this.transcribers, options, path);
  }

  /** Writes the transcript and its job. The last thing in a transaction, because it appends events. */
  async begin(
    tx: MediaTransaction,
    media: Pick<MediaRow, 'id' | 'ownerId' | 'fileId' | 'durationMs'>,
    plan: RecognitionPlan,
    given: { jobId?: string; transcriptId?: string; priority?: number } = {},
  ): Promise<Job> {
    const { jobId = newId('job'), transcriptId = newId('trn'), priority = PRIORITIES.NORMAL } = given;
    const language = plan.language ?? UNDETERMINED;
    const transcript = { id: transcriptId, mediaId: media.id, jobId, language, engine: plan.engine, options: plan };
    await this.records.insertTranscript(tx, transcript);
    return createJob(tx, this.events, transcribeJob, {
      id: jobId,
      ownerId: media.ownerId,
      subjectId: media.id,
      payload: { transcriptId, mediaId: media.id, fileId: media.fileId, ...plan },
      priority,
      size: media.durationMs,
    });
  }
}
