import type { JobContext, JobHandler } from '../../../platform/jobs/job-handler';
import { JobProblem } from '../../../platform/jobs/job-handler';
import type { Platform } from '../../../platform/platform';
import { decodePcm } from '../decoder/decode-pcm';
import { inspectMedia } from '../decoder/inspect-media';
import { DecoderFailedError, MediaProblem } from '../decoder/media-problem';
import type { MediaProblemCode } from '../errors';
import { MEDIA_MODELS, MediaRecords, type MediaTransaction } from '../records';
import {
  EngineUnavailableError,
  PCM_SAMPLE_RATE_HZ,
  TranscriberFailedError,
  UnsupportedLanguageError,
} from '../transcriber/transcriber';
import type { Transcribers } from '../transcribers';
import { TranscriptGrowth } from '../transcripts';
import { transcribeJob, type TranscribePayload } from './transcribe';

type Context = JobContext<MediaTransaction>;

/** Makes the handler of TRANSCRIBE jobs; `transcribers` stays the caller's to dispose. */
export function createTranscribeHandler(options: {
  platform: Platform;
  transcribers: Transcribers;
}): JobHandler<TranscribePayload, MediaTransaction> {
  const { platform, transcribers } = options;
  const records = new MediaRecords(platform.database.slice(MEDIA_MODELS));
  const growthOf = (payload: TranscribePayload): TranscriptGrowth =>
    new TranscriptGrowth(records, platform.events, payload.transcriptId);
  return {
    definition: transcribeJob,
    async run(payload, context) {
      try {
        const file = await platform.objects.localPath(payload.fileId);
        const { kind, durationMs, pcm } = await openRecording(file, context);
        const engine = await transcribers.choose({ language: payload.language, engineId: payload.engine });
        const audio = new MeteredAudio(pcm, durationMs, (fraction) => context.progress(fraction, 'recognize'));
        const growth = growthOf(payload);
        const total = new Totals();
        for await (const segment of engine.transcribe(audio, { language: payload.language, signal: context.signal })) {
          await context.transaction((tx) => growth.put(tx, segment));
          total.add(segment);
        }
        if (total.segmentCount === 0) throw noSpeech(audio.heardMs);
        const result = { ...total.result(), durationMs: audio.heardMs };
        return async (tx) => {
          await records.describeMedia(tx, payload.mediaId, { kind, durationMs: durationMs ?? audio.heardMs });
          await growth.complete(tx, result);
        };
      } catch (error) {
        throw context.signal.aborted ? error : asJobProblem(error);
      }
    },
    abandon: (payload, tx, ending) => growthOf(payload).abandon(tx, ending),
  };

  async function openRecording(file: string, context: Context) {
    context.progress(0, 'inspect');
    const { video, audio, durationMs } = await inspectMedia(file, { signal: context.signal });
    const kind = video ? ('VIDEO' as const) : ('AUDIO' as const);
    const mediaId = context.job.subjectId;
    await context.transaction((tx) => records.describeMedia(tx, mediaId, { kind, durationMs }));
    const pcm = decodePcm(file, { signal: context.signal, statedDurationMs: audio.statedDurationMs });
    return { kind, durationMs, pcm };
  }
}

/** Counts audio on its way to the engine, which takes it only as fast as it recognizes: that is the progress. */
class MeteredAudio {
  private samples = 0;

  constructor(
    private readonly source: AsyncIterable<Int16Array>,
    private readonly durationMs: number | null,
    private readonly report: (fraction: number) => void,
  ) {}

  /** Milliseconds of audio taken so far. */
  get heardMs(): number {
    return Math.round((this.samples * 1_000) / PCM_SAMPLE_RATE_HZ);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Int16Array, void, undefined> {
    this.report(0);
    for await (const samples of this.source) {
      yield samples;
      this.samples += samples.length;
      // A file that does not state its length shows the stage, and no invented fraction.
      this.report(this.durationMs ? this.heardMs / this.durationMs : 0);
    }
  }
}

/** What is told of all segments together. */
class Totals {
  segmentCount = 0;
  private lengthMs = 0;
  private weighted = 0;

  add(segment: { startMs: number; endMs: number; confidence: number | null }): void {
    const lengthMs = Math.max(1, segment.endMs - segment.startMs);
    this.segmentCount++;
    this.lengthMs += lengthMs;
    this.weighted += lengthMs * (segment.confidence ?? 0);
  }

  result(): { segmentCount: number; confidence: number } {
    return { segmentCount: this.segmentCount, confidence: Math.round((this.weighted / this.lengthMs) * 1_000) / 1_000 };
  }
}

function noSpeech(heardMs: number): JobProblem {
  const seconds = Math.round(heardMs / 1_000);
  return problem(
    'NO_SPEECH',
    `No speech was found in ${seconds} s of audio. Check that the right sound track was recorded, and how loud.`,
    false,
  );
}

/** Names a failure for the job's owner; what is none of ours stays as it is, for the log and another attempt. */
function asJobProblem(error: unknown): unknown {
  if (error instanceof MediaProblem) return problem(error.code, error.message, false, error);
  if (error instanceof UnsupportedLanguageError) return problem('UNSUPPORTED', error.message, false, error);
  if (error instanceof EngineUnavailableError) return problem('ENGINE_UNAVAILABLE', error.message, true, error);
  if (error instanceof TranscriberFailedError) {
    return problem('INTERNAL', 'The speech engine stopped before the recording was heard to its end.', true, error);
  }
  if (error instanceof DecoderFailedError) {
    return problem('INTERNAL', 'The decoder was stopped before the recording was heard to its end.', true, error);
  }
  return error;
}

function problem(code: MediaProblemCode, message: string, retryable: boolean, cause?: unknown): JobProblem {
  return new JobProblem(code, message, retryable, { cause });
}
