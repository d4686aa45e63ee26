import { UserProblemError } from '../../platform/errors';
import type { EventLog } from '../../platform/events/event-log';
import { claimIdempotencyKey } from '../../platform/idempotency';
import { isId, newId } from '../../platform/ids';
import type { Viewer } from '../../platform/identity/viewer';
import { createJob, type Job } from '../../platform/jobs/job';
import type { MediaProblemCode } from './errors';
import { transcribeJob } from './jobs/transcribe';
import {
  orThrow,
  planRecognition,
  sameCallOptions,
  type RecognitionOptions,
  type RecognitionPlan,
} from './recognition';
import type { MediaRecords, MediaRow, MediaTransaction } from './records';
import type { Transcribers } from './transcribers';

export interface TranscribeInput {
  mediaId: string;
  options?: RecognitionOptions | null | undefined;
  idempotencyKey?: string | null | undefined;
}

/** A transcript that was begun, and the job that makes it. */
export interface BegunTranscript {
  transcriptId: string;
  job: Job;
}

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

  /** Begins a transcript of the viewer's recording; NOT_FOUND for one that is unknown or somebody else's. */
  async transcribe(viewer: Viewer, input: TranscribeInput): Promise<Job> {
    const [media] = isId('med', input.mediaId) ? await this.records.mediaByIds([input.mediaId], viewer.userId) : [];
    if (!media) throw unknownMedia();
    const plan = await this.plan(input.options ?? {}, ['input', 'options']);
    const jobId = newId('job');
    const call = {
      ownerId: viewer.userId,
      operation: 'transcribe',
      key: input.idempotencyKey,
      input: { mediaId: media.id, ...sameCallOptions(input.options ?? {}) },
    };
    return this.records.transaction(async (tx) => {
      const earlier = await claimIdempotencyKey(tx, call, jobId);
      if (earlier !== null) return tx.job.findUniqueOrThrow({ where: { id: earlier } });
      return (await this.begin(tx, media, orThrow(plan), { jobId })).job;
    });
  }

  /** Writes the transcript and its job. The last thing in a transaction, because it appends events. */
  async begin(
    tx: MediaTransaction,
    media: Pick<MediaRow, 'id' | 'ownerId' | 'fileId' | 'durationMs'>,
    plan: RecognitionPlan,
    { jobId = newId('job'), priority }: { jobId?: string; priority?: number } = {},
  ): Promise<BegunTranscript> {
    const transcriptId = newId('trn');
    const language = plan.language ?? UNDETERMINED;
    const transcript = { id: transcriptId, mediaId: media.id, jobId, language, engine: plan.engine, options: plan };
    await this.records.insertTranscript(tx, transcript);
    const job = await createJob(tx, this.events, transcribeJob, {
      id: jobId,
      ownerId: media.ownerId,
      subjectId: media.id,
      payload: { transcriptId, mediaId: media.id, fileId: media.fileId, ...plan },
      size: media.durationMs,
      ...(priority === undefined ? {} : { priority }),
    });
    return { transcriptId, job };
  }
}

function unknownMedia(): UserProblemError<MediaProblemCode> {
  return new UserProblemError({
    code: 'NOT_FOUND',
    message: 'You have no recording with this ID.',
    path: ['input', 'mediaId'],
  });
}
