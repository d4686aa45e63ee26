import path from 'node:path';
import type { JobContext, JobHandler } from '../../../platform/jobs/job-handler';
import { JobProblem } from '../../../platform/jobs/job-handler';
import { resizeJob } from '../../../platform/jobs/job-size';
import { StorageFull } from '../../../platform/objects/object-store';
import type { Platform } from '../../../platform/platform';
import { FFMPEG_IN_PATH, guardedInput, probeFfmpeg, type FfmpegPrograms } from '../decoder/ffmpeg';
import { DecoderFailedError } from '../decoder/media-problem';
import { ExportRecords } from '../exports/export-records';
import { recordLineage } from '../lineage/lineage';
import { renditionOrigin } from '../lineage/origins';
import { MEDIA_MODELS, MediaRecords, type MediaTransaction } from '../records';
import { encode } from '../transcoding/encode';
import { outputParameters } from '../transcoding/encoding';
import type { EncodingPlan } from '../transcoding/encoding-plan';
import { inspectSource, type Source } from '../transcoding/inspect-source';
import { missingFor } from '../transcoding/presets';
import { RenditionRecords } from '../transcoding/rendition-records';
import { holdOutput, type Output } from '../transcoding/store-output';
import { subtitlesFor, type Subtitles } from '../transcoding/subtitles-for';
import { lengthOf } from '../transcoding/transcodings';
import { problemOfRule, recordingProblem } from './job-problems';
import { transcodeJob, type TranscodePayload } from './transcode';

type Context = JobContext<MediaTransaction>;

/** What of the progress is encoding; the rest is storing. */
const ENCODING_SHARE = 0.95;

/**
 * Makes the handler of TRANSCODE jobs. Everything happens in the job's directory; the bytes of the result are stored
 * before their rows are written together with the job's success, so that nothing of an attempt that did not end is seen.
 */
export function createTranscodeHandler(options: {
  platform: Platform;
  programs?: FfmpegPrograms;
}): JobHandler<TranscodePayload, MediaTransaction> {
  const { platform, programs = FFMPEG_IN_PATH } = options;
  const database = platform.database.slice(MEDIA_MODELS);
  const renditions = new RenditionRecords(database);
  const reads = { records: new MediaRecords(database), contents: new ExportRecords(database) };
  return {
    definition: transcodeJob,
    async run(payload, context) {
      const { job, signal } = context;
      try {
        const directory = await context.directory();
        const ffmpeg = await probeFfmpeg(programs);
        const source = await openSource(payload, context, path.join(directory, 'source'));
        await resizeJob(context, platform.events, lengthOf(payload, source.durationMs));
        const subtitles = await subtitlesFor(payload, { ownerId: job.ownerId, directory, ...reads });
        const converter = { engine: 'ffmpeg', engineVersion: ffmpeg.available ? ffmpeg.version : 'unknown' };
        const origin = renditionOrigin(payload.fileId, subtitles && subtitles.transcript, converter, payload);
        await make(payload, context, { directory, source, subtitles });
        context.progress(ENCODING_SHARE, 'store');
        const [media] = await reads.records.mediaByIds([payload.mediaId], job.ownerId);
        const title = media?.title ?? '';
        const output = await holdOutput(payload, context, { directory, subtitles, title, platform, programs });
        // A file that does not tell how long it is costs what came out of it.
        if (lengthOf(payload, source.durationMs) === null) {
          await resizeJob(context, platform.events, output.durationMs);
        }
        const { mediaId } = payload;
        return async (tx) => {
          await keep(tx, payload, job.id, output);
          await recordLineage(tx, { outputId: payload.renditionId, mediaId, kind: transcodeJob.kind }, origin);
        };
      } catch (error) {
        throw signal.aborted ? error : asJobProblem(error);
      }
    },
  };

  async function openSource({ fileId, ...payload }: TranscodePayload, context: Context, file: string): Promise<Source> {
    context.progress(0, 'fetch');
    await platform.objects.placeAt(fileId, file, context.signal);
    context.progress(0, 'inspect');
    const source = await inspectSource(file, { signal: context.signal, ...platform.mediaLimits, programs });
    const missing = missingFor(payload.preset, source.contents);
    if (missing !== null) throw new JobProblem('UNSUPPORTED', missing, false);
    if (source.durationMs !== null && (payload.clipFromMs ?? 0) >= source.durationMs) {
      throw new JobProblem(
        'INVALID_INPUT',
        `The recording ends at ${source.durationMs} ms, before the clip begins.`,
        false,
      );
    }
    return source;
  }

  async function make(
    { preset, clipFromMs, clipToMs }: TranscodePayload,
    context: Context,
    { directory, source, subtitles }: { directory: string; source: Source; subtitles: Subtitles | null },
  ): Promise<void> {
    const { maxDurationMs, maxPixels } = platform.mediaLimits;
    const isTrack = subtitles !== null && preset !== 'HLS'; // HLS has its subtitles beside the film
    const plan: EncodingPlan = {
      ...{ preset, contents: source.contents, heightPx: source.heightPx },
      subtitles: isTrack ? { language: subtitles.mp4Language } : null,
    };
    const fromMs = clipFromMs ?? 0;
    const lengthMs = clipToMs === null ? null : clipToMs - fromMs;
    const parameters = [
      ...(fromMs > 0 ? ['-ss', seconds(fromMs)] : []),
      ...(lengthMs === null ? [] : ['-t', seconds(lengthMs)]),
      ...guardedInput(source.file, { maxPixels }),
      ...(isTrack
        ? ['-protocol_whitelist', 'file', '-format_whitelist', 'webvtt', '-i', `file:${subtitles.file}`]
        : []),
      ...outputParameters(plan),
    ];
    const expectedMs = lengthMs ?? (source.durationMs === null ? null : source.durationMs - fromMs);
    context.progress(0, 'encode');
    const onProgress = (encodedMs: number): void =>
      // A file that does not state its length shows the stage, and no invented fraction.
      context.progress(expectedMs ? Math.min(1, encodedMs / expectedMs) * ENCODING_SHARE : 0, 'encode');
    await encode(parameters, { signal: context.signal, directory, onProgress, maxDurationMs, programs });
  }

  async function keep(tx: MediaTransaction, payload: TranscodePayload, jobId: string, output: Output): Promise<void> {
    const { renditionId: id, mediaId, preset } = payload;
    for (const object of output.objects) await object.register(tx);
    const { main, mimeType, width, height, bitrate, durationMs } = output;
    const made = { mimeType, width, height, bitrate, durationMs };
    await renditions.insert(tx, { id, mediaId, jobId, preset, fileId: main.id, ...made });
  }
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3);
}

/** Of our own writes into the job's directory. */
function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as { code?: string }).code ?? '');
}

/** Names a failure for the job's owner; what is none of ours stays as it is, for the log and another attempt. */
function asJobProblem(error: unknown): unknown {
  if (error instanceof StorageFull || isDiskFull(error)) {
    return new JobProblem('INSUFFICIENT_STORAGE', 'The server has no room for the result.', true, { cause: error });
  }
  if (error instanceof DecoderFailedError) {
    return new JobProblem('INTERNAL', 'The encoder was stopped before it had finished.', true, { cause: error });
  }
  return problemOfRule(error) ?? recordingProblem(error) ?? error;
}
