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
  programs?: FfmpegPrograms;
}

/** Chunks are multiples of 100 ms, except the last of a recording. */
const CHUNK_SAMPLES = PCM_SAMPLE_RATE_HZ / 10;
/** Real files give sound within seconds; one that was made to keep a decoder busy must not hold a worker for ever. */
const STUCK_AFTER_MS = 60_000;

/**
 * Decodes the first sound track of a file on local disk to 16 kHz mono PCM. Sample n lies at `n / 16` ms of the source
 * media: a track that begins late or has gaps is filled with silence. ffmpeg runs only as far ahead as a pipe holds
 * (about 2 s) and writes no file; it is killed when the consumer stops early.
 * What a cut-off file still holds is yielded before CUT_OFF is thrown. Throws MediaProblem, EngineUnavailableError (no
 * ffmpeg), DecoderFailedError (ffmpeg was killed, or stuck: try again) or the signal's reason.
 */
export async function* decodePcm(
  filePath: string,
  options: DecodeOptions,
): AsyncGenerator<Int16Array, void, undefined> {
  const { signal, maxDurationMs = DEFAULT_MEDIA_LIMITS.maxDurationMs, stuckAfterMs = STUCK_AFTER_MS } = options;
  signal.throwIfAborted();
  await using ffmpeg = startFfmpeg(filePath, options);
  let samples = 0;
  for await (const chunk of inChunks(impatiently(ffmpeg.stdout, stuckAfterMs))) {
    signal.throwIfAborted();
    samples += chunk.length;
    if (toMs(samples) > maxDurationMs) throw tooLong(maxDurationMs);
    yield chunk;
  }
  const end = await ffmpeg.ended;
  signal.throwIfAborted();
  refuseBadEnd(end, { samples, endMs: toMs(samples), options });
}

function startFfmpeg(filePath: string, { signal, programs = FFMPEG_IN_PATH }: DecodeOptions): GuardedProgram {
  const parameters = [
    ...['-hide_banner', '-nostdin', '-v', 'error', '-threads', '1'],
    ...guardedInput(filePath),
    ...['-map', '0:a:0', '-vn', '-sn', '-dn'],
    ...['-af', `aresample=${PCM_SAMPLE_RATE_HZ}:async=1:first_pts=0`, '-ac', '1', '-f', 's16le', 'pipe:1'],
  ];
  return spawnGuarded(programs.ffmpeg, parameters, { signal });
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
async function* inChunks(pipe: AsyncIterable<Buffer>): AsyncGenerator<Int16Array, void, undefined> {
  const chunkBytes = CHUNK_SAMPLES * 2;
  let rest: Buffer = Buffer.alloc(0);
  for await (const buffer of pipe) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, buffer]) : buffer;
    const wholeBytes = bytes.length - (bytes.length % chunkBytes);
    rest = bytes.subarray(wholeBytes);
    if (wholeBytes > 0) yield toSamples(bytes.subarray(0, wholeBytes));
  }
  if (rest.length >= 2) yield toSamples(rest.subarray(0, rest.length - (rest.length % 2)));
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
