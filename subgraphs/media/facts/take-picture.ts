import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { FFMPEG_IN_PATH, guardedInput, type FfmpegPrograms } from '../decoder/ffmpeg';
import { runGuarded } from '../decoder/run-guarded';

export interface PictureOptions {
  /** Milliseconds from the start; null: the last picture. */
  atMs: number | null;
  /** In pixels; the height follows, up to four times as much. */
  width: number;
  signal: AbortSignal;
  maxPixels: number;
  programs?: FfmpegPrograms;
}

const TIMEOUT_MS = 25_000;
/** Where the search for the last picture begins: before the end, in seconds. */
const LAST_SECONDS = 3;

/**
 * A moment of a film as JPEG, or null when there is no picture. `directory` must hold nothing of that name and be on no
 * path that others can write to. Throws as `runGuarded` does.
 */
export async function takePicture(file: string, directory: string, options: PictureOptions): Promise<Buffer | null> {
  const { atMs } = options;
  const picture = atMs === null ? null : await take(['-ss', (atMs / 1_000).toFixed(3)], ['-frames:v', '1']);
  // Behind the last picture ffmpeg gives none: then each of the last seconds is written over the one before.
  return picture ?? take(['-sseof', String(-LAST_SECONDS)], []);

  async function take(seek: string[], frames: string[]): Promise<Buffer | null> {
    const { width, signal, maxPixels, programs = FFMPEG_IN_PATH } = options;
    const target = path.join(directory, 'picture.jpg');
    await rm(target, { force: true });
    const parameters = [
      ...['-hide_banner', '-nostdin', '-v', 'error', '-threads', '1', ...seek],
      ...guardedInput(file, { maxPixels }),
      ...['-map', '0:V:0', '-an', '-sn', '-dn', '-map_metadata', '-1', ...frames],
      ...['-vf', `scale=${width}:${width * 4}:force_original_aspect_ratio=decrease:force_divisible_by=2`],
      ...['-c:v', 'mjpeg', '-q:v', '4', '-pix_fmt', 'yuvj420p', '-f', 'image2', '-update', '1', `file:${target}`],
    ];
    await runGuarded(programs.ffmpeg, parameters, { signal, timeoutMs: TIMEOUT_MS, maxOutputBytes: 0 });
    return readFile(target).catch(() => null);
  }
}
