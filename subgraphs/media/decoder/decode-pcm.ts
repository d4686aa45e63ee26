import type { Readable } from 'node:stream';
import { PCM_SAMPLE_RATE_HZ } from '../transcriber/transcriber';
import { FFMPEG_IN_PATH, guardedInput, type FfmpegPrograms } from './ffmpeg';
import { DEFAULT_MEDIA_LIMITS } from '../../../platform/environment';
import { tooLong } from './read-probe';
import { DecoderFailedError, MediaProblem } from './media-problem';
import { noSamples } from './probe-output';
import { spawnGuarded, type GuardedProgram, type ProgramEnd } from './spawn-guarded';

export interface DecodeOptions {
  /** Kills ffmpeg; the iterator then throws the signal's reason. */
  signal: AbortSignal;
  /** What the header states (`inspection.audio.statedDurationMs`): markedly less sound means a cut-off file. */
  statedDurationMs?: number | null;
  /** Decoding ends with TOO_LONG beyond this; milliseconds, default {@link DEFAULT_MEDIA_LIMITS}. */
  maxDurationMs?: number;
  /** How long the consumer may wait for the next byte before ffmpeg is thought stuck; milliseconds, default 60 000. */
  stuckAfterMs?: number;
  /** Where to begin; milliseconds of the source media, default 0. Exact to the sample. */
  startMs?: number;
  /** Whether ffmpeg finds `startMs` itself (`inspection.seeksExactly`); else all before is decoded and dropped. */
  seeksExactly?: boolean;
  /** Only this channel, from 0; default: all mixed into one. */
  channel?: number;
  /** Even out the loudness. */
  normalize?: boolean;
  programs?: FfmpegPrograms;
}

/** Chunks are multiples of 100 ms, except the last of a recording. */
const CHUNK_SAMPLES = PCM_SAMPLE_RATE_HZ / 10;
/** Real files give sound within seconds; one that was made to keep a decoder busy must not hold a worker for ever. */
const STUCK_AFTER_MS = 60_000;
/** ffmpeg begins this much earlier: the first frames behind a jump are decoded without those they build on. */
const RUN_UP_MS = 2_000;

/**
 * Decodes the first sound track of a file on local disk to 16 kHz mono PCM. Sample n lies at `startMs + n / 16` ms of the
 * source media: a track that begins late or has gaps is filled with silence. ffmpeg runs only as far ahead as a pipe holds
 * (about 2 s) and writes no file; it is killed when the consumer stops early.
 * What a cut-off file still holds is yielded before CUT_OFF is thrown. Throws MediaProblem, EngineUnavailableError (no
 * ffmpeg), DecoderFailedError (ffmpeg was killed, or stuck: try again) or the signal's reason.
 */
export function decodePcm(filePath: string, options: DecodeOptions): AsyncGenerator<Int16Array, void, undefined> {
  return decode(filePath, 1, options);
}

/** Like {@link decodePcm}, with the first `channels` channels of the track apart: one array for each, of equal length. */
export async function* decodeChannels(
  filePath: string,
  channels: number,
  options: Omit<DecodeOptions, 'channel'>,
): AsyncGenerator<Int16Array[], void, undefined> {
  for await (const interleaved of decode(filePath, channels, options)) {
    yield Array.from({ length: channels }, (_, channel) => everyNth(interleaved, channels, channel));
  }
}

function everyNth(samples: Int16Array, n: number, first: number): Int16Array {
  const taken = new Int16Array(samples.length / n);
  for (let to = 0, from = first; to < taken.length; to++, from += n) taken[to] = samples[from]!;
  return taken;
}

/** Samples of all channels in turn. */
async function* decode(
  filePath: string,
  channels: number,
  options: DecodeOptions,
): AsyncGenerator<Int16Array, void, undefined> {
  const {
    signal,
    maxDurationMs = DEFAULT_MEDIA_LIMITS.maxDurationMs,
    stuckAfterMs = STUCK_AFTER_MS,
    startMs = 0,
  } = options;
  signal.throwIfAborted();
  const seekMs = seekOf(options);
  await using ffmpeg = startFfmpeg(filePath, { channels, seekMs, ...options });
  const frames = new FramesFrom((startMs - seekMs) * (PCM_SAMPLE_RATE_HZ / 1_000), channels);
  for await (const chunk of inChunks(impatiently(ffmpeg.stdout, stuckAfterMs), channels)) {
    signal.throwIfAborted();
    const wanted = frames.take(chunk);
    if (seekMs + toMs(frames.taken) > maxDurationMs) throw tooLong(maxDurationMs);
    if (wanted.length > 0) yield wanted;
  }
  const end = await ffmpeg.ended;
  signal.throwIfAborted();
  refuseBadEnd(end, { samples: frames.taken, endMs: seekMs + toMs(frames.taken), options });
}

/**
 * Where ffmpeg begins: on a whole second, which is a whole number of samples at every rate, so that the resampled sound is
 * the same to the bit (measured with WAV, FLAC, MP3 with and without a header, Ogg, Opus, M4A). Loudness is evened out by
 * what was heard before, so all of that has to be decoded.
 */
function seekOf({ startMs = 0, seeksExactly = false, normalize = false }: DecodeOptions): number {
  if (!seeksExactly || normalize) return 0;
  return Math.max(0, Math.floor((startMs - RUN_UP_MS) / 1_000) * 1_000);
}

/** Drops what lies before the place where reading begins; counts all of it. */
class FramesFrom {
  /** Samples of each channel that came so far, dropped ones included. */
  taken = 0;

  constructor(
    private readonly first: number,
    private readonly channels: number,
  ) {}

  take(chunk: Int16Array): Int16Array {
    const before = Math.max(0, this.first - this.taken);
    this.taken += chunk.length / this.channels;
    return before === 0 ? chunk : chunk.slice(before * this.channels);
  }
}

function startFfmpeg(filePath: string, options: DecodeOptions & { channels: number; seekMs: number }): GuardedProgram {
  const { signal, seekMs, programs = FFMPEG_IN_PATH } = options;
  const parameters = [
    ...['-hide_banner', '-nostdin', '-v', 'error', '-threads', '1'],
    ...(seekMs > 0 ? ['-ss', String(seekMs / 1_000)] : []),
    ...guardedInput(filePath),
    ...['-map', '0:a:0', '-vn', '-sn', '-dn'],
    ...filtersOf(options),
    ...['-f', 's16le', 'pipe:1'],
  ];
  return spawnGuarded(programs.ffmpeg, parameters, { signal });
}

/**
 * loudnorm (EBU R128, one pass) to -20 LUFS leaves every sample in its place and takes 18 ms of CPU for a second of sound.
 * dynaudnorm takes nearly none, but did nothing at all to recordings of a few seconds.
 */
function filtersOf({ channels, channel, normalize }: DecodeOptions & { channels: number }): string[] {
  const all = [`aresample=${PCM_SAMPLE_RATE_HZ}:async=1:first_pts=0`];
  if (normalize) all.push('loudnorm=I=-20:TP=-2', `aresample=${PCM_SAMPLE_RATE_HZ}`);
  if (channels === 1 && channel === undefined) return ['-af', all.join(','), '-ac', '1'];
  const wanted = channel === undefined ? Array.from({ length: channels }, (_, index) => index) : [channel];
  all.push([`pan=${channels}c`, ...wanted.map((from, to) => `c${to}=c${from}`)].join('|'));
  return ['-af', all.join(',')];
}

/** The bytes of a pipe; throws DecoderFailedError when the reader has waited `limitMs` for the next ones. */
async function* impatiently(pipe: Readable, limitMs: number): AsyncGenerator<Buffer, void, undefined> {
  const giveUp = (): void => void pipe.destroy(new DecoderFailedError(`ffmpeg gave nothing for ${limitMs} ms.`));
  let timer = setTimeout(giveUp, limitMs);
  try {
    for await (const bytes of pipe as AsyncIterable<Buffer>) {
      clearTimeout(timer); // a reader that is busy does not wait
      yield bytes;
      timer = setTimeout(giveUp, limitMs);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Regroups the bytes of a pipe into whole chunks, each with memory of its own. */
async function* inChunks(pipe: AsyncIterable<Buffer>, channels: number): AsyncGenerator<Int16Array, void, undefined> {
  const frameBytes = channels * 2;
  const chunkBytes = CHUNK_SAMPLES * frameBytes;
  let rest: Buffer = Buffer.alloc(0);
  for await (const buffer of pipe) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, buffer]) : buffer;
    const wholeBytes = bytes.length - (bytes.length % chunkBytes);
    rest = bytes.subarray(wholeBytes);
    if (wholeBytes > 0) yield toSamples(bytes.subarray(0, wholeBytes));
  }
  if (rest.length >= frameBytes) yield toSamples(rest.subarray(0, rest.length - (rest.length % frameBytes)));
}

function toSamples(bytes: Buffer): Int16Array {
  const samples = new Int16Array(bytes.length / 2);
  Buffer.from(samples.buffer).set(bytes);
  return samples;
}

/** Turns how ffmpeg ended into the error it means; returns when all is well. */
function refuseBadEnd(
  { exitCode, stderr }: ProgramEnd,
  { samples, endMs, options }: { samples: number; endMs: number; options: DecodeOptions },
): void {
  if (exitCode === null) throw new DecoderFailedError('ffmpeg was stopped from outside before it had finished.');
  const cause = new Error(`ffmpeg exited with ${exitCode}: ${stderr.trim() || 'no message'}`);
  if (/matches no streams/.test(stderr)) throw new MediaProblem('NO_AUDIO', 'The file has no sound track.', { cause });
  if (/Decoder \(codec \S+\) not found|unknown codec/i.test(stderr)) {
    throw new MediaProblem(
      'UNKNOWN_CODEC',
      'The sound is encoded in a way that is not known here. Convert it to WAV or MP3.',
      { cause },
    );
  }
  if (samples === 0 && exitCode !== 0) {
    throw new MediaProblem('NOT_MEDIA', 'The file cannot be decoded: it is damaged or no recording.', { cause });
  }
  if (samples === 0) throw noSamples();
  const missesSound = endMs < (options.statedDurationMs ?? 0) * 0.98 - 500;
  if (missesSound || /File ended prematurely|partial file/.test(stderr)) {
    const seconds = (endMs / 1_000).toFixed(1);
    throw new MediaProblem(
      'CUT_OFF',
      `The recording breaks off after ${seconds} s: part of the file is missing. Upload it again.`,
      { cause },
    );
  }
  if (exitCode !== 0) {
    throw new DecoderFailedError(`ffmpeg stopped after ${(endMs / 1_000).toFixed(1)} s.`, { cause });
  }
}

function toMs(samples: number): number {
  return samples / (PCM_SAMPLE_RATE_HZ / 1_000);
}
