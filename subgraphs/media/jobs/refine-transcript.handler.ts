import { JobProblem, type JobContext, type JobHandler } from '../../../platform/jobs/job-handler';
import { resizeJob } from '../../../platform/jobs/job-size';
import type { Platform } from '../../../platform/platform';
import type { DecodeOptions } from '../decoder/decode-pcm';
import { recordLineage } from '../lineage/lineage';
import { wantedFor } from '../recognition';
import { MEDIA_MODELS, MediaRecords, type MediaTransaction } from '../records';
import { HeardSegments } from '../refining/heard-segments';
import { refine, RefinementRefused } from '../refining/refinement';
import { SpeakerRecords } from '../speakers/speaker-records';
import type { Transcribers } from '../transcribers';
import { confidenceOf, languageOf } from '../transcription/checkpoint';
import { parsePlan, settingsOf } from '../transcription/recognition-plan';
import { Recording } from '../transcription/recording';
import { transcribeRecording, type Outcome } from '../transcription/transcription';
import { asRecognitionProblem, noSpeech } from './recognition-problems';
import { refineTranscriptJob, type RefineTranscriptPayload } from './refine-transcript';

type Context = JobContext<MediaTransaction>;
interface Heard {
  recording: Recording;
  segments: HeardSegments;
  outcome: Outcome;
}

/**
 * Makes the handler of REFINE_TRANSCRIPT jobs; `transcribers` stays the caller's to dispose. All that is heard goes into the
 * transcript at once, with the job's success: one that fails or is canceled leaves the transcript as it was, and another
 * attempt hears the recording from its beginning.
 */
export function createRefineTranscriptHandler(options: {
  platform: Platform;
  transcribers: Transcribers;
  /** See {@link DecodeOptions}. */
  decoding?: Pick<DecodeOptions, 'stuckAfterMs'>;
}): JobHandler<RefineTranscriptPayload, MediaTransaction> {
  const { platform, transcribers, decoding } = options;
  const database = platform.database.slice(MEDIA_MODELS);
  const records = new MediaRecords(database);
  const parts = { events: platform.events, speakers: new SpeakerRecords(database) };
  return {
    definition: refineTranscriptJob,
    async run(payload, context) {
      try {
        const heard = await hear(payload, context);
        return (tx) => finish(tx, payload, heard);
      } catch (error) {
        throw context.signal.aborted ? error : asRecognitionProblem(error);
      }
    },
  };

  async function hear(payload: RefineTranscriptPayload, context: Context): Promise<Heard> {
    const recording = await Recording.open(platform, payload, context, decoding);
    await resizeJob(context, platform.events, recording.durationMs);
    const plan = parsePlan(payload);
    const engines = await transcribers.candidates(wantedFor(plan, plan.pinned ? plan.engine : undefined));
    const segments = new HeardSegments();
    const attempt = { plan, recording, growth: segments, context, checkpoint: null };
    return { recording, segments, outcome: await transcribeRecording(attempt, engines) };
  }

  async function finish(
    tx: MediaTransaction,
    payload: RefineTranscriptPayload,
    { recording, segments, outcome: { engine, total } }: Heard,
  ): Promise<void> {
    const { transcriptId, mediaId, fileId } = payload;
    const { kind, durationMs } = recording;
    await records.describeMedia(tx, mediaId, { kind, durationMs: durationMs ?? total.heardMs });
    const settings = settingsOf(parsePlan(payload));
    const origin = { inputIds: [fileId], engine: engine.info.id, engineVersion: engine.info.version ?? '', settings };
    await recordLineage(tx, { outputId: transcriptId, mediaId, kind: refineTranscriptJob.kind }, origin);
    const detected = payload.language === null ? languageOf(total) : null;
    await refine(tx, parts, transcriptId, {
      segments: segments.all,
      engine: engine.info.id,
      confidence: confidenceOf(total),
      durationMs: total.heardMs,
      ...(detected ? { language: detected.language, languageConfidence: detected.confidence } : {}),
    }).catch((error: unknown) => {
      throw error instanceof RefinementRefused ? problemOf(error, total) : error;
    });
  }
}

function problemOf({ reason }: RefinementRefused, total: Outcome['total']): JobProblem {
  if (reason === 'NOTHING_HEARD') return noSpeech(total);
  if (reason === 'GONE') return new JobProblem('NOT_FOUND', 'The transcript is gone.', false);
  return new JobProblem('INVALID_STATE', 'Only a complete transcript can be refined.', false);
}
