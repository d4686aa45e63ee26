import { execFile } from 'node:child_process';
import path from 'node:path';
import { DEFAULT_MEDIA_LIMITS, programEnvironment } from '../../../platform/environment';
import { EngineUnavailableError, type Probe } from '../transcriber/transcriber';

/** The programs of an ffmpeg installation: names looked up in PATH, or full paths. */
export interface FfmpegPrograms {
  ffmpeg: string;
  ffprobe: string;
}

export const FFMPEG_IN_PATH: FfmpegPrograms = { ffmpeg: 'ffmpeg', ffprobe: 'ffprobe' };

/**
 * The demuxers a recording may need, by ffmpeg's names. Whatever else the bytes look like is refused before its demuxer
 * reads a header: playlists (hls, dash, concat, sdp, imf …) would open the files and addresses they name, and subtitle
 * and picture formats carry no sound.
 */
const ALLOWED_DEMUXERS =
  'aac,ac3,aiff,amr,asf,au,avi,caf,eac3,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,w64,wav,wv'.split(',');

/** No single allocation above this: a crafted header must not claim the machine's memory. */
const MAX_ALLOCATION_BYTES = 256 * 1024 * 1024;

/** The least that ffmpeg takes; what it asks for a second time is more, so an MP3 is known as well. */
const PIPE_PROBE_BYTES = 32;

/**
 * Options shared by ffmpeg and ffprobe that make a hostile file harmless, ending with the input itself. The `file:` prefix
 * and the absolute path keep a name like `-i`, `concat:a|b` or `subfile,,…` from being an option or a protocol. Outside
 * tracks of QuickTime files (`enable_drefs`) stay off, as is ffmpeg's default.
 */
export function guardedInput(
  filePath: string,
  { maxPixels = DEFAULT_MEDIA_LIMITS.maxPixels }: { maxPixels?: number } = {},
): string[] {
  return [
    ...['-max_alloc', String(MAX_ALLOCATION_BYTES), '-max_pixels', String(maxPixels)],
    ...['-protocol_whitelist', 'file', '-format_whitelist', ALLOWED_DEMUXERS.join(','), '-max_streams', '64'],
    ...['-i', `file:${path.resolve(filePath)}`],
  ];
}

/**
 * Like {@link guardedInput}, for sound that comes through a pipe while it is being made: ffmpeg waits for no more of it than
 * it needs. `format` names what has no header.
 */
export function guardedPipe(format: readonly string[] = []): string[] {
  const allowed = format.length > 0 ? 's16le' : ALLOWED_DEMUXERS.join(',');
  return [
    ...['-max_alloc', String(MAX_ALLOCATION_BYTES), '-protocol_whitelist', 'pipe', '-format_whitelist', allowed],
    ...['-max_streams', '64', '-probesize', String(PIPE_PROBE_BYTES), '-analyzeduration', '0', '-fflags', 'nobuffer'],
    ...[...format, '-i', 'pipe:0'],
  ];
}

/** Whether both programs run here, with ffmpeg's version; otherwise what to install. Never throws. */
export async function probeFfmpeg(
  programs: FfmpegPrograms = FFMPEG_IN_PATH,
): Promise<(Probe & { available: true; version: string }) | (Probe & { available: false })> {
  const [ffmpeg, ffprobe] = await Promise.all([readVersion(programs.ffmpeg), readVersion(programs.ffprobe)]);
  if (ffmpeg != null && ffprobe != null) return { available: true, version: ffmpeg };
  return { available: false, reason: missingReason(ffmpeg == null ? programs.ffmpeg : programs.ffprobe) };
}

/** The error for a program that could not be started at all. */
export function ffmpegMissing(program: string, cause: unknown): EngineUnavailableError {
  return new EngineUnavailableError(missingReason(program), { cause });
}

function missingReason(program: string): string {
  return `The program "${program}" does not run here, so media cannot be decoded. Install it with: apt-get install ffmpeg`;
}

function readVersion(program: string): Promise<string | null> {
  return new Promise((resolve) => {
    const limits = { env: programEnvironment(), timeout: 10_000, killSignal: 'SIGKILL' } as const;
    execFile(program, ['-version'], limits, (error, stdout) => {
      resolve(error ? null : (/version (\S+)/.exec(stdout)?.[1] ?? 'unknown'));
    });
  });
}
