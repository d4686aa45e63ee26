import type { JobContext, JobHandler } from '../../../platform/jobs/job-handler';
import { JobProblem } from '../../../platform/jobs/job-handler';
import { resizeJob } from '../../../platform/jobs/job-size';
import type { Platform } from '../../../platform/platform';
import type { DecodeOptions } from '../decoder/decode-pcm';
import { recordLineage } from '../lineage/lineage';
import { wantedFor } from '../recognition';
import { MEDIA_MODELS, MediaRecords, type MediaTransaction } from '../records';
import type { Transcriber } from '../transcriber/transcriber';
import type { Transcribers } from '../transcribers';
import { confidenceOf, languageOf, type Checkpoint } from '../transcription/checkpoint';
import { parsePlan, settingsOf } from '../transcription/recognition-plan';
import { Recording } from '../transcription/recording';
import { TranscriptGrowth } from '../transcription/transcript-growth';
import { transcribeRecording, type Outcome } from '../transcription/transcription';
import { asRecognitionProblem, noSpeech } from './recognition-problems';
import { transcribeJob, type TranscribePayload } from './transcribe';

type Context = JobContext<MediaTransaction>;

const MAX_CHANNELS = 8;

/** Makes the handler of TRANSCRIBE jobs; `transcribers` stays the caller's to dispose. */
export function createTranscribeHandler(options: {
  platform: Platform;
  transcribers: Transcribers;
  /** See {@link DecodeOptions}. */
  decoding?: Pick<DecodeOptions, 'stuckAfterMs'>;
}): JobHandler<TranscribePayload, MediaTransaction> {
  const { platform, transcribers, decoding } = options;
  const records = new MediaRecords(platform.database.slice(MEDIA_MODELS));
  const growthOf = (payload: TranscribePayload): TranscriptGrowth =>
    new TranscriptGrowth(platform.events, payload.transcriptId);
  return {
    definition: transcribeJob,
    async run(payload, context) {
      try {
        const growth = growthOf(payload);
        const checkpoint = await context.transaction((tx) => growth.open(tx));
        context.progress(shareOf(checkpoint, context.job), 'fetch');
        const recording = await openRecording(payload, context);
        const engines = await enginesFor(payload, checkpoint);
        const plan = parsePlan(payload);
        const outcome = await transcribeRecording({ plan, recording, growth, context, checkpoint }, engines);
        if (outcome.total.segmentCount === 0) throw noSpeech(outcome.total);
        // A file that does not tell how long it is costs what was heard of it.
        if (recording.durationMs === null) await resizeJob(context, platform.events, outcome.total.heardMs);
        return (tx) => finish(tx, payload, { recording, growth, outcome });
      } catch (error) {
        throw context.signal.aborted ? error : asRecognitionProblem(error);
      }
    },
    abandon: (payload, tx, ending) => growthOf(payload).abandon(tx, ending),
  };

  async function openRecording(payload: TranscribePayload, context: Context): Promise<Recording> {
    const recording = await Recording.open(platform, payload, context, decoding);
    const { kind, durationMs, inspection } = recording;
    await context.transaction((tx) => records.describeMedia(tx, payload.mediaId, { kind, durationMs }));
    await resizeJob(context, platform.events, durationMs);
    if (payload.perChannel && inspection.audio.channels > MAX_CHANNELS)
      throw tooManyChannels(inspection.audio.channels);
    return recording;
  }

  /** Best first; but what an engine has begun it goes on with, and else the one that was chosen at first has its turn. */
  async function enginesFor(payload: TranscribePayload, checkpoint: Checkpoint | null): Promise<Transcriber[]> {
    const engines = await transcribers.candidates(wantedFor(payload, payload.pinned ? payload.engine : undefined));
    const rank = ({ info }: Transcriber): number =>
      info.id === checkpoint?.engine ? 0 : info.id === payload.engine ? 1 : 2;
    return [...engines].sort((one, other) => rank(one) - rank(other));
  }

  async function finish(
    tx: MediaTransaction,
    payload: TranscribePayload,
    { recording, growth, outcome }: { recording: Recording; growth: TranscriptGrowth; outcome: Outcome },
  ): Promise<void> {
    const { engine, total } = outcome;
    const { transcriptId, mediaId, fileId } = payload;
    const detected = payload.language === null ? languageOf(total) : null;
    await records.describeMedia(tx, mediaId, {
      kind: recording.kind,
      durationMs: recording.durationMs ?? total.heardMs,
    });
    await recordLineage(
      tx,
      { outputId: transcriptId, mediaId, kind: transcribeJob.kind },
      {
        inputIds: [fileId],
        engine: engine.info.id,
        engineVersion: engine.info.version ?? '',
        settings: settingsOf(parsePlan(payload)),
      },
    );
    await growth.complete(tx, {
      segmentCount: total.segmentCount,
      confidence: confidenceOf(total),
      durationMs: total.heardMs,
      ...(detected ? { language: detected.language, languageConfidence: detected.confidence } : {}),
    });
  }
}

/** How much of the recording earlier attempts have heard; 0 when its length is not known. */
function shareOf(checkpoint: Checkpoint | null, { size }: Context['job']): number {
  return checkpoint && size ? checkpoint.heardMs / Number(size) : 0;
}

function tooManyChannels(channels: number): JobProblem {
  const message = `The recording has ${channels} sound channels; at most ${MAX_CHANNELS} can be recognized apart.`;
  return new JobProblem('UNSUPPORTED', message, false);
}
