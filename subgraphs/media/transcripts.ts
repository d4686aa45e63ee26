import type { UserProblemError } from '../../platform/errors';
import type { EventLog } from '../../platform/events/event-log';
import { newId } from '../../platform/ids';
import { createJob, type Job } from '../../platform/jobs/job';
import { transcribeJob } from './jobs/transcribe';
import { planAgain, planRecognition, type RecognitionOptions, type RecognitionPlan } from './recognition';
import type { MediaRecords, MediaRow, MediaTransaction } from './records';
import type { Transcribers } from './transcribers';

/** A transcript that was begun, and the job that makes it. */
export interface BegunTranscript {
  transcriptId: string;
  job: Job;
}

/** The BCP 47 tag of a language that is not known yet (ISO 639-2). */
export const UNDETERMINED = 'und';

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

  planAgain(plan: RecognitionPlan, path: string[]): Promise<RecognitionPlan | UserProblemError> {
    return planAgain(this.transcribers, plan, path);
  }

  /** Writes the transcript and its job. The last thing in a transaction, because it appends events. */
  async begin(
    tx: MediaTransaction,
    media: Pick<MediaRow, 'id' | 'ownerId' | 'fileId' | 'durationMs'>,
    plan: RecognitionPlan,
    {
      jobId = newId('job'),
      priority,
      callId = null,
    }: { jobId?: string; priority?: number; callId?: string | null } = {},
  ): Promise<BegunTranscript> {
    const transcriptId = newId('trn');
    const language = plan.language ?? UNDETERMINED;
    const source = { ownerId: media.ownerId, mediaId: media.id, jobId };
    const { engine } = plan;
    await this.records.insertTranscript(tx, { id: transcriptId, ...source, language, engine, options: plan });
    const job = await createJob(tx, this.events, transcribeJob, {
      id: jobId,
      ownerId: media.ownerId,
      subjectId: media.id,
      payload: { transcriptId, mediaId: media.id, fileId: media.fileId, ...plan },
      size: media.durationMs,
      callId,
      ...(priority === undefined ? {} : { priority }),
    });
    return { transcriptId, job };
  }
}
