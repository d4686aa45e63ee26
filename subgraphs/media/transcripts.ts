import { isDeepStrictEqual } from 'node:util';
import type { UserProblemError } from '../../platform/errors';
import type { EventLog } from '../../platform/events/event-log';
import { newId } from '../../platform/ids';
import { createJob, type Job } from '../../platform/jobs/job';
import type { JobEnding } from '../../platform/jobs/job-handler';
import { transcriptTopic } from './events';
import { transcribeJob } from './jobs/transcribe';
import { planAgain, planRecognition, type RecognitionOptions, type RecognitionPlan } from './recognition';
import type { MediaRecords, MediaRow, MediaTransaction, SegmentRow } from './records';
import type { RecognizedSegment } from './transcriber/transcriber';
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

  /** What a recording will be heard in: as asked for, or what the engine assumes; null when it detects the language. */
  async expectedLanguage({ language, engine }: RecognitionPlan): Promise<string | null> {
    if (language !== null) return language;
    const info = (await this.transcribers.list()).find((one) => one.info.id === engine)?.info;
    return info && !info.detectsLanguage ? (info.languages[0] ?? null) : null;
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

/** The growth of one transcript while its job runs. Each step ends with the event that announces it. */
export class TranscriptGrowth {
  constructor(
    private readonly records: MediaRecords,
    private readonly events: EventLog,
    private readonly transcriptId: string,
  ) {}

  /**
   * Keeps what was heard at a position. When an earlier attempt heard the very same there, nothing is written and nothing
   * announced; when it heard something else, the segment gets its next revision. What a person has corrected stays.
   */
  async put(tx: MediaTransaction, { index: position, ...heard }: RecognizedSegment): Promise<void> {
    const { transcriptId } = this;
    const known = await this.records.segmentAt(tx, transcriptId, position);
    if (known?.state === 'EDITED') return;
    const segment: SegmentRow = {
      ...heard,
      id: known?.id ?? newId('seg'),
      transcriptId,
      position,
      state: 'FINAL',
      channel: 0,
      speakerId: null,
      revision: known?.revision ?? 1,
    };
    if (isDeepStrictEqual(known, segment)) return;
    if (known) segment.revision++;
    await this.records.writeSegment(tx, segment);
    await this.events.append(tx, transcriptTopic(transcriptId), { type: 'segment.changed', segment });
  }

  /** Ends it as COMPLETE with `segmentCount` segments; what an earlier attempt heard behind them is removed. */
  async complete(
    tx: MediaTransaction,
    result: { segmentCount: number; confidence: number; durationMs: number },
  ): Promise<void> {
    const { segmentCount, ...heard } = result;
    const removedSegmentIds = await this.records.deleteSegments(tx, this.transcriptId, segmentCount);
    await this.records.finishTranscript(tx, this.transcriptId, { ...heard, state: 'COMPLETE' });
    await this.announceEnd(tx, { state: 'COMPLETE', error: null, removedSegmentIds });
  }

  /** Ends it without a result: no half transcript stays. */
  async abandon(tx: MediaTransaction, { outcome, failure }: JobEnding): Promise<void> {
    const removedSegmentIds = await this.records.deleteSegments(tx, this.transcriptId, 0);
    await this.records.finishTranscript(tx, this.transcriptId, { state: outcome });
    await this.announceEnd(tx, { state: outcome, error: failure, removedSegmentIds });
  }

  private async announceEnd(
    tx: MediaTransaction,
    end: {
      state: 'COMPLETE' | 'FAILED' | 'CANCELED';
      error: JobEnding['failure'];
      removedSegmentIds: string[];
    },
  ): Promise<void> {
    await this.events.append(tx, transcriptTopic(this.transcriptId), { type: 'transcript.finished', ...end });
  }
}
