import type { JobDefinition } from '../../../platform/jobs/job';
import { PRESETS, type TranscodePreset } from '../transcoding/presets';

/** Make another version of one recording. */
export interface TranscodePayload {
  /** Of the result, which is there once the job has succeeded. */
  renditionId: string;
  mediaId: string;
  fileId: string;
  preset: TranscodePreset;
  clipFromMs: number | null;
  clipToMs: number | null;
  /** Id of the transcript to be put in as subtitles. */
  subtitlesFrom: string | null;
}

export const transcodeJob: JobDefinition<TranscodePayload> = {
  kind: 'TRANSCODE',
  maxAttempts: 3,
  parse(payload) {
    const fields = (payload ?? {}) as Record<keyof TranscodePayload, unknown>;
    const { renditionId, mediaId, fileId, preset, clipFromMs, clipToMs, subtitlesFrom } = fields;
    const isText = (value: unknown): boolean => typeof value === 'string';
    const isTimeOrNull = (value: unknown): boolean => value === null || typeof value === 'number';
    const isRight =
      [renditionId, mediaId, fileId].every(isText) &&
      Object.keys(PRESETS).includes(String(preset)) &&
      [clipFromMs, clipToMs].every(isTimeOrNull) &&
      (subtitlesFrom === null || isText(subtitlesFrom));
    if (!isRight) throw new TypeError(`This is no payload of a ${this.kind} job.`);
    return fields as TranscodePayload; // every field was checked above
  },
};
