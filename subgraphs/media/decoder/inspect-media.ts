import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { programEnvironment } from '../../../platform/environment';
import { FFMPEG_IN_PATH, ffmpegMissing, guardedInput, type FfmpegPrograms } from './ffmpeg';
import { DecoderFailedError, MediaProblem } from './media-problem';
import { notMedia, parseProbe, type MediaInspection } from './probe-output';

/** The longest recording that is accepted unless the caller says otherwise: 10 hours. */
export const DEFAULT_MAX_DURATION_MS = 10 * 3_600_000;

export interface InspectOptions {
  /** Kills ffprobe; the call then throws the signal's reason. */
  signal: AbortSignal;
  /** Longer media is refused with TOO_LONG; milliseconds, default {@link DEFAULT_MAX_DURATION_MS}. */
  maxDurationMs?: number;
  /** How long ffprobe may take; milliseconds, default 5 000. */
  timeoutMs?: number;
  programs?: FfmpegPrograms;
}

/**
 * Reads what a file on local disk contains, opening nothing but that file. Everything a header can show to be unusable
 * for transcription is refused here; what only decoding shows is refused by `decodePcm`.
 * Throws MediaProblem (the file can never work), EngineUnavailableError (no ffprobe), DecoderFailedError (ffprobe was
 * killed or ran out of time), the file system's error when the path cannot be read, or the signal's reason.
 */
export async function inspectMedia(filePath: string, options: InspectOptions): Promise<MediaInspection> {
  options.signal.throwIfAborted();
  const head = await readHead(filePath);
  if (head.sizeBytes === 0) throw new MediaProblem('EMPTY_FILE', 'The file is empty (0 bytes). Upload it again.');

  const probe = await runFfprobe(filePath, options);
  if (!probe.succeeded) throw unreadable(head.bytes, probe.stderr);
  if (isCutOffRiff(head)) throw cutOff();

  const inspection = parseProbe(probe.stdout, { durationIsEstimate: /Estimating duration/.test(probe.stderr) });
  const maxDurationMs = options.maxDurationMs ?? DEFAULT_MAX_DURATION_MS;
  if ((inspection.durationMs ?? 0) > maxDurationMs) throw tooLong(maxDurationMs);
  return inspection;
}

/** The problem of a recording above the limit; also thrown while decoding when no header told. */
export function tooLong(maxDurationMs: number): MediaProblem {
  const hours = +(maxDurationMs / 3_600_000).toFixed(2);
  return new MediaProblem(
    'TOO_LONG',
    `The recording is longer than the limit of ${hours} hours. Split it and upload the parts.`,
  );
}

interface Head {
  bytes: Buffer;
  sizeBytes: number;
}

async function readHead(filePath: string): Promise<Head> {
  await using file = await open(filePath, 'r');
  const { size: sizeBytes } = await file.stat();
  const { bytesRead, buffer } = await file.read(Buffer.alloc(16), 0, 16, 0);
  return { bytes: buffer.subarray(0, bytesRead), sizeBytes };
}

interface ProbeRun {
  succeeded: boolean;
  stdout: string;
  stderr: string;
}

function runFfprobe(filePath: string, options: InspectOptions): Promise<ProbeRun> {
  const { signal, timeoutMs = 5_000, programs = FFMPEG_IN_PATH } = options;
  // One packet is enough to know that there is anything to decode; `%+#1` reads it without seeking.
  const wanted = ['-show_format', '-show_streams', '-show_packets', '-read_intervals', '%+#1', '-of', 'json=compact=1'];
  const parameters = ['-v', 'warning', ...wanted, ...guardedInput(filePath)];
  return new Promise((resolve, reject) => {
    const limits = { signal, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 4 * 1024 * 1024 } as const;
    execFile(programs.ffprobe, parameters, { ...limits, env: programEnvironment() }, (error, stdout, stderr) => {
      if (signal.aborted) return reject(signal.reason as Error);
      if (error == null) return resolve({ succeeded: true, stdout, stderr });
      if (typeof error.code === 'number') return resolve({ succeeded: false, stdout, stderr });
      if (error.code === 'ENOENT' || error.code === 'EACCES') return reject(ffmpegMissing(programs.ffprobe, error));
      reject(new DecoderFailedError(`ffprobe did not finish within ${timeoutMs} ms or was stopped.`, { cause: error }));
    });
  });
}

/** Why ffprobe could not open the file, told from its words and the first bytes. */
function unreadable(head: Buffer, stderr: string): MediaProblem {
  const refused = /\[(\S+) @ \w+\] Format not on whitelist/.exec(stderr)?.[1];
  if (refused != null && refused !== 'tty') {
    // `tty` is any text whose name ends in .txt
    return new MediaProblem(
      'CONTAINER_NOT_ALLOWED',
      `Files of the kind "${refused}" are not accepted. Upload the recording itself as WAV, MP3, M4A, FLAC, Ogg, WebM or MP4.`,
    );
  }
  // An MP4 begins with a box of these types; its index (`moov`) is often written last, so a cut-off file has none.
  const isMp4 = /^(ftyp|mdat|free|skip|wide|moov)$/.test(head.toString('latin1', 4, 8));
  if (isMp4 && /moov atom not found/.test(stderr)) return cutOff();
  return notMedia();
}

/**
 * A RIFF header (WAV, AVI) states the file's size; ffprobe silently believes the shorter file instead. Programs that write
 * to a pipe cannot know the size and state one near 2 or 4 GiB, which means nothing.
 */
function isCutOffRiff({ bytes, sizeBytes }: Head): boolean {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.length < 8) return false;
  const statedBytes = bytes.readUInt32LE(4) + 8;
  return statedBytes < 0x7fff_0000 && statedBytes > sizeBytes + 1;
}

function cutOff(): MediaProblem {
  return new MediaProblem('CUT_OFF', 'The file ends too early: part of it is missing. Upload it again.');
}
