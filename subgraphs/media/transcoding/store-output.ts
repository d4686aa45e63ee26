import { createReadStream } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { JobContext } from '../../../platform/jobs/job-handler';
import type { HeldObject } from '../../../platform/objects/stored-objects';
import type { Platform } from '../../../platform/platform';
import type { FfmpegPrograms } from '../decoder/ffmpeg';
import { isMovingPicture } from '../decoder/probe-output';
import { readProbe } from '../decoder/read-probe';
import { durationOf } from '../facts/describe-probe';
import type { TranscodePayload } from '../jobs/transcode';
import { outputName } from './encoding';
import { HLS_MAIN, HLS_SUBTITLES, HLS_SUBTITLES_TEXT, subtitlesPlaylist, withSubtitles } from './hls';
import { PRESETS } from './presets';
import type { Subtitles } from './subtitles-for';

/** A result whose bytes are stored, and have no rows yet. */
export interface Output {
  main: HeldObject;
  /** All of them, the main one first. */
  objects: HeldObject[];
  mimeType: string;
  width: number | null;
  height: number | null;
  bitrate: number | null;
  durationMs: number | null;
}

interface OutputParts {
  directory: string;
  subtitles: Subtitles | null;
  platform: Pick<Platform, 'objects' | 'maxFileBytes' | 'mediaLimits'>;
  programs: FfmpegPrograms;
}

type OutputContext = OutputParts & Pick<JobContext<never>, 'job' | 'signal' | 'undo'>;

/** Types by ending of what ffmpeg and we have made; bytes of strangers are never typed by their name. */
const PART_TYPES: Readonly<Record<string, string>> = {
  '.m3u8': PRESETS.HLS.mimeType,
  '.mp4': 'video/mp4',
  '.vtt': 'text/vtt',
};

/** Stores what lies in the job's directory; unless the job succeeds, nothing of it stays. Throws the signal's reason. */
export async function holdOutput(
  payload: TranscodePayload,
  job: Pick<JobContext<never>, 'job' | 'signal' | 'undo'>,
  parts: OutputParts,
): Promise<Output> {
  const context: OutputContext = { ...job, ...parts };
  const { preset } = payload;
  const names = preset === 'HLS' ? await completeHls(context) : [outputName(payload)];
  const measured = await measure(path.join(context.directory, preset === 'HLS' ? largest(names) : names[0]!), context);
  const objects: HeldObject[] = [];
  for (const name of names) {
    context.signal.throwIfAborted();
    const object = await hold(name, objects[0]?.id, payload, context);
    context.undo(() => object.discard());
    objects.push(object);
  }
  return { main: objects[0]!, objects, mimeType: PRESETS[preset].mimeType, ...measured };
}

async function hold(
  name: string,
  mainId: string | undefined,
  { preset }: TranscodePayload,
  { job, signal, directory, platform: { objects, maxFileBytes } }: OutputContext,
): Promise<HeldObject> {
  const isHls = preset === 'HLS';
  return objects.hold({
    ownerId: job.ownerId,
    name: isHls ? name : `rendition.${PRESETS[preset].ending}`,
    source: createReadStream(path.join(directory, name), { signal }),
    maxBytes: maxFileBytes,
    argumentPath: [],
    mimeType: isHls ? PART_TYPES[path.extname(name)] : PRESETS[preset].mimeType,
    partOf: mainId,
  });
}

/** Adds the subtitles to what ffmpeg has made, and answers the names of all files, the main playlist first. */
async function completeHls(context: OutputContext): Promise<string[]> {
  const { directory, subtitles } = context;
  const made = (await readdir(directory)).filter((name) => /^\d+p\.(m3u8|mp4)$/.test(name)).sort();
  if (!subtitles) return [HLS_MAIN, ...made];
  const main = path.join(directory, HLS_MAIN);
  await writeFile(main, withSubtitles(await readFile(main, 'utf8'), subtitles.language));
  const { durationMs } = await measure(path.join(directory, largest(made)), context);
  await writeFile(path.join(directory, HLS_SUBTITLES), subtitlesPlaylist(durationMs ?? 0));
  return [HLS_MAIN, ...made, HLS_SUBTITLES, HLS_SUBTITLES_TEXT];
}

function largest(names: readonly string[]): string {
  return names.filter((name) => name.endsWith('.mp4')).at(-1)!;
}

async function measure(
  file: string,
  { signal, platform, programs }: OutputContext,
): Promise<Pick<Output, 'width' | 'height' | 'bitrate' | 'durationMs'>> {
  const { output } = await readProbe(file, { signal, ...platform.mediaLimits, programs });
  const film = output.streams?.find(isMovingPicture);
  const durationMs = durationOf(output);
  const { size } = await stat(file);
  return {
    width: film?.width ?? null,
    height: film?.height ?? null,
    bitrate: durationMs === null ? null : Math.min(2 ** 31 - 1, Math.round((size * 8_000) / durationMs)),
    durationMs,
  };
}
