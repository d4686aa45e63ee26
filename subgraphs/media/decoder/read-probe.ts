import { open } from 'node:fs/promises';
import { DEFAULT_MEDIA_LIMITS } from '../../../platform/environment';
import { ACCEPTED_TYPES } from '../media-input';
import { FFMPEG_IN_PATH, guardedInput, type FfmpegPrograms } from './ffmpeg';
import { MediaProblem } from './media-problem';
import { isMovingPicture, notMedia, type ProbeOutput } from './probe-output';
import { runGuarded } from './run-guarded';

export interface ReadProbeOptions {
  /** Kills ffprobe; the call then throws the signal's reason. */
  signal: AbortSignal;
  /** Longer media is refused with TOO_LONG; milliseconds, default {@link DEFAULT_MEDIA_LIMITS}. */
  maxDurationMs?: number;
  /** Films of larger pictures are refused with PICTURE_TOO_LARGE, before one is decoded; default {@link DEFAULT_MEDIA_LIMITS}. */
  maxPixels?: number;
  /** How long ffprobe may take; milliseconds, default 5 000. */
  timeoutMs?: number;
  programs?: FfmpegPrograms;
}

export interface ProbeReading {
  output: ProbeOutput;
  /** The length was reckoned from the bit rate, because no header states it. */
  durationIsEstimate: boolean;
  /** The file is shorter than its own header says. */
  isCutOff: boolean;
}

/**
 * What the headers of a file on local disk say, read by ffprobe, which opens nothing but that file. What no decoder shall
 * be given is refused here: no media, containers that name other files, and what is above the limits. Throws as
 * `inspectMedia` does.
 */
export async function readProbe(filePath: string, options: ReadProbeOptions): Promise<ProbeReading> {
  options.signal.throwIfAborted();
  const { maxDurationMs, maxPixels } = { ...DEFAULT_MEDIA_LIMITS, ...options };
  const head = await readHead(filePath);
  if (head.sizeBytes === 0) throw new MediaProblem('EMPTY_FILE', 'The file is empty (0 bytes). Upload it again.');

  const { signal, timeoutMs = 5_000, programs = FFMPEG_IN_PATH } = options;
  // One packet is enough to know that there is anything to decode; `%+#1` reads it without seeking.
  const wanted = ['-show_format', '-show_streams', '-show_packets', '-read_intervals', '%+#1', '-of', 'json=compact=1'];
  const parameters = ['-v', 'warning', ...wanted, ...guardedInput(filePath, { maxPixels })];
  const limits = { signal, timeoutMs, maxOutputBytes: MAX_OUTPUT_BYTES };
  const { exitCode, stdout, stderr } = await runGuarded(programs.ffprobe, parameters, limits);
  const refusedSize = sizeAbove(maxPixels, stderr);
  if (exitCode !== 0) throw refusedSize ? pictureTooLarge(refusedSize, maxPixels) : unreadable(head.bytes, stderr);

  const output = JSON.parse(stdout.toString('utf8')) as ProbeOutput;
  refuseAbove({ maxDurationMs, maxPixels }, output);
  if (refusedSize && output.streams?.some((stream) => isMovingPicture(stream) && !stream.width)) {
    throw pictureTooLarge(refusedSize, maxPixels);
  }
  return { output, durationIsEstimate: /Estimating duration/.test(stderr), isCutOff: isCutOffRiff(head) };
}

/** The problem of a recording above the limit; also thrown while decoding when no header told. */
export function tooLong(maxDurationMs: number): MediaProblem {
  const hours = +(maxDurationMs / 3_600_000).toFixed(2);
  return new MediaProblem(
    'TOO_LONG',
    `The recording is longer than the limit of ${hours} hours. Split it and upload the parts.`,
  );
}

/** The problem of a file that is shorter than it should be. */
export function cutOff(): MediaProblem {
  return new MediaProblem('CUT_OFF', 'The file ends too early: part of it is missing. Upload it again.');
}

/** 64 streams with all their tags. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

interface Size {
  width: number;
  height: number;
}

function refuseAbove(
  limits: { maxDurationMs: number; maxPixels: number },
  { format, streams = [] }: ProbeOutput,
): void {
  const durations = [format, ...streams].map((part) => Number.parseFloat(part?.duration ?? '') * 1_000);
  if (durations.some((durationMs) => durationMs > limits.maxDurationMs)) throw tooLong(limits.maxDurationMs);
  // A cover is decoded by nobody here, so that one which is too large is only no cover.
  for (const { width = 0, height = 0 } of streams.filter(isMovingPicture)) {
    if (width * height > limits.maxPixels) throw pictureTooLarge({ width, height }, limits.maxPixels);
  }
}

/** A size above the limit that a decoder has refused; ffprobe then tells no size of the stream. */
function sizeAbove(maxPixels: number, stderr: string): Size | undefined {
  const sizes = [...stderr.matchAll(/Picture size (\d+)x(\d+) (?:exceeds|is invalid)/g)];
  return sizes
    .map(([, width, height]) => ({ width: Number(width), height: Number(height) }))
    .find(({ width, height }) => width * height > maxPixels);
}

function pictureTooLarge({ width, height }: Size, maxPixels: number): MediaProblem {
  return new MediaProblem(
    'PICTURE_TOO_LARGE',
    `The picture has ${width} × ${height} pixels, more than the limit of ${maxPixels}. Make it smaller.`,
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

/** Why ffprobe could not open the file, told from its words and the first bytes. */
function unreadable(head: Buffer, stderr: string): MediaProblem {
  if (/Number of streams exceeds/i.test(stderr)) {
    return new MediaProblem('TOO_MANY_STREAMS', 'The file has more than 64 streams. Upload the recording itself.');
  }
  const refused = /\[(\S+) @ \w+\] Format not on whitelist/.exec(stderr)?.[1];
  if (refused != null && refused !== 'tty') {
    // `tty` is any text whose name ends in .txt
    return new MediaProblem(
      'CONTAINER_NOT_ALLOWED',
      `Files of the kind "${refused}" are not accepted. Upload the recording itself, e.g. as ${ACCEPTED_TYPES}.`,
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
