import path from 'node:path';
import type { JobContext } from '../../../platform/jobs/job-handler';
import type { Platform } from '../../../platform/platform';
import { decodeChannels, decodePcm, type DecodeOptions } from '../decoder/decode-pcm';
import { inspectMedia } from '../decoder/inspect-media';
import type { MediaInspection } from '../decoder/probe-output';
import type { MediaTransaction } from '../records';

type Context = Pick<JobContext<MediaTransaction>, 'signal' | 'progress' | 'directory'>;

/** A recording in the job's own directory, ready to be decoded as often as is needed. */
export class Recording {
  private constructor(
    private readonly file: string,
    readonly inspection: MediaInspection,
    private readonly decoding: Pick<DecodeOptions, 'maxDurationMs' | 'normalize' | 'stuckAfterMs'>,
  ) {}

  /**
   * Brings the bytes into the job's directory and looks at them, as the stages `fetch` and `inspect`. Programs are given
   * nothing but that file. Throws DownloadFailed, MediaProblem, what `inspectMedia` throws, or the signal's reason.
   */
  static async open(
    { objects, mediaLimits }: Pick<Platform, 'objects' | 'mediaLimits'>,
    { fileId, normalize }: { fileId: string; normalize: boolean },
    context: Context,
    decoding: Pick<DecodeOptions, 'stuckAfterMs'> = {},
  ): Promise<Recording> {
    context.progress(0, 'fetch');
    const file = path.join(await context.directory(), 'recording');
    await objects.placeAt(fileId, file, context.signal);
    context.progress(0, 'inspect');
    const inspection = await inspectMedia(file, { signal: context.signal, ...mediaLimits });
    return new Recording(file, inspection, { ...decoding, maxDurationMs: mediaLimits.maxDurationMs, normalize });
  }

  get kind(): 'VIDEO' | 'AUDIO' {
    return this.inspection.video ? 'VIDEO' : 'AUDIO';
  }

  /** How long it plays, in milliseconds; null when the file does not tell. */
  get durationMs(): number | null {
    return this.inspection.durationMs;
  }

  /** Its sound as one channel, or only the one named, from the beginning. */
  pcm(options: { channel?: number; signal: AbortSignal }): AsyncIterable<Int16Array> {
    return decodePcm(this.file, { ...this.options(), ...options });
  }

  /** Its sound from `startMs` on: all mixed into one channel, or the first `channels` of them apart. */
  async *sound(options: {
    channels: number | null;
    startMs: number;
    signal: AbortSignal;
  }): AsyncGenerator<Int16Array[], void, undefined> {
    const { channels, ...rest } = options;
    if (channels !== null) return yield* decodeChannels(this.file, channels, { ...this.options(), ...rest });
    for await (const samples of decodePcm(this.file, { ...this.options(), ...rest })) yield [samples];
  }

  private options(): Omit<DecodeOptions, 'signal'> {
    const { seeksExactly, audio } = this.inspection;
    return { ...this.decoding, seeksExactly, statedDurationMs: audio.statedDurationMs };
  }
}
