import { createInterface } from 'node:readline';
import { StorageFull } from '../../../platform/objects/object-store';
import { FFMPEG_IN_PATH, type FfmpegPrograms } from '../decoder/ffmpeg';
import { DecoderFailedError, MediaProblem } from '../decoder/media-problem';
import { cutOff, tooLong } from '../decoder/read-probe';
import { spawnGuarded, type ProgramEnd } from '../decoder/spawn-guarded';
import { EngineUnavailableError } from '../transcriber/transcriber';

export interface EncodeOptions {
  /** Kills ffmpeg; the call then throws the signal's reason. */
  signal: AbortSignal;
  /** Where ffmpeg runs and writes. */
  directory: string;
  /** Told how much has been encoded, in milliseconds; never less than before. */
  onProgress: (encodedMs: number) => void;
  /** More than this is TOO_LONG, whatever the headers said; milliseconds. */
  maxDurationMs: number;
  /** How long nothing may be added before ffmpeg is thought stuck; milliseconds, default 120 000. */
  stuckAfterMs?: number;
  programs?: FfmpegPrograms;
}

/** Three sizes of a film at once, each with the frames that x264 looks ahead. */
const MAX_MEMORY_BYTES = 3 * 1024 ** 3;
const STUCK_AFTER_MS = 120_000;

/**
 * Runs ffmpeg with `parameters` (inputs and outputs) to its end, telling its own measure of progress. Throws StorageFull
 * when the disk is, MediaProblem for a recording that cannot be decoded, DecoderFailedError when ffmpeg was stopped or
 * stuck, EngineUnavailableError without ffmpeg or its encoders, or the signal's reason.
 */
export async function encode(parameters: readonly string[], options: EncodeOptions): Promise<void> {
  const { signal, directory, maxDurationMs, stuckAfterMs = STUCK_AFTER_MS, programs = FFMPEG_IN_PATH } = options;
  signal.throwIfAborted();
  const shown = ['-hide_banner', '-nostdin', '-v', 'error', '-nostats', '-progress', 'pipe:1', '-stats_period', '0.25'];
  const limits = { signal, directory, maxMemoryBytes: MAX_MEMORY_BYTES };
  await using ffmpeg = spawnGuarded(programs.ffmpeg, [...shown, ...parameters], limits);
  let problem: Error | undefined;
  const stop = (error: Error): void => {
    problem ??= error;
    ffmpeg.kill();
  };
  const stuck = (): void => stop(new DecoderFailedError(`ffmpeg encoded nothing for ${stuckAfterMs} ms.`));
  let timer = setTimeout(stuck, stuckAfterMs);
  try {
    let encodedMs = 0;
    for await (const line of createInterface({ input: ffmpeg.stdout })) {
      const now = encodedMsOf(line);
      if (now === null || now <= encodedMs) continue;
      encodedMs = now;
      clearTimeout(timer);
      timer = setTimeout(stuck, stuckAfterMs);
      if (encodedMs > maxDurationMs + 1_000) stop(tooLong(maxDurationMs));
      options.onProgress(encodedMs);
    }
    const end = await ffmpeg.ended;
    signal.throwIfAborted();
    if (problem) throw problem;
    refuseBadEnd(end);
  } finally {
    clearTimeout(timer);
  }
}

/** Milliseconds of a line such as `out_time_us=5015510`; null for any other, and before the first frame (`N/A`). */
export function encodedMsOf(line: string): number | null {
  const us = /^out_time_us=(\d+)$/.exec(line)?.[1];
  return us === undefined ? null : Math.floor(Number(us) / 1_000);
}

function refuseBadEnd({ exitCode, stderr }: ProgramEnd): void {
  const cause = new Error(`ffmpeg exited with ${exitCode}: ${stderr.trim() || 'no message'}`);
  if (/No space left on device|Disk quota exceeded|File too large/.test(stderr)) throw new StorageFull(cause);
  if (exitCode === null) throw new DecoderFailedError('ffmpeg was stopped before it had finished.', { cause });
  if (/File ended prematurely|partial file/.test(stderr)) throw cutOff();
  if (exitCode === 0) return;
  if (/Unknown encoder/.test(stderr)) {
    throw new EngineUnavailableError('This ffmpeg lacks an encoder. Install it with: apt-get install ffmpeg', {
      cause,
    });
  }
  if (/Decoder \(codec \S+\) not found|unknown codec|no decoder found/i.test(stderr)) {
    throw new MediaProblem('UNKNOWN_CODEC', 'The recording is encoded in a way that is not known here.', { cause });
  }
  throw new MediaProblem('NOT_MEDIA', 'The recording cannot be converted: it is damaged.', { cause });
}
