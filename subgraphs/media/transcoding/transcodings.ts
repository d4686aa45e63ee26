import type { UserProblemError } from '../../../platform/errors';
import type { EventLog } from '../../../platform/events/event-log';
import { isId, newId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { createJob, PRIORITIES, type Job, type JobPriority } from '../../../platform/jobs/job';
import { jobsOnce } from '../asking/once';
import { inputProblem } from '../errors';
import type { MediaFacts } from '../facts/facts';
import type { MediaDetails } from '../facts/records';
import { transcodeJob } from '../jobs/transcode';
import type { MediaRecords, MediaRow, MediaTransaction } from '../records';
import { missingFor, PRESETS, type TranscodePreset } from './presets';

export interface TranscodeInput {
  mediaId: string;
  preset: TranscodePreset;
  clipFromMs?: number | null | undefined;
  clipToMs?: number | null | undefined;
  subtitlesFrom?: string | null | undefined;
  priority?: JobPriority | null | undefined;
  idempotencyKey?: string | null | undefined;
}

/** What decides how a rendition is, with every choice filled in. */
export interface WantedRendition {
  preset: TranscodePreset;
  clipFromMs: number | null;
  clipToMs: number | null;
  subtitlesFrom: string | null;
}

/** Asking for other versions of recordings. */
export class Transcodings {
  constructor(
    private readonly records: MediaRecords,
    private readonly facts: MediaFacts,
    private readonly events: EventLog,
  ) {}

  /**
   * Begins a version of the viewer's recording. What the recording's headers show to be impossible or above the limits
   * is refused here when they can be read within 4 s, the rest by the job. NOT_FOUND, INVALID_INPUT (clip), UNSUPPORTED (no film, no sound), INVALID_STATE (transcript not
   * complete), IDEMPOTENCY_MISMATCH.
   */
  async transcode(viewer: Viewer, { idempotencyKey: key, ...input }: TranscodeInput): Promise<Job> {
    const [media] = isId('med', input.mediaId) ? await this.records.mediaByIds([input.mediaId], viewer.userId) : [];
    if (!media) throw inputProblem('NOT_FOUND', 'You have no recording with this ID.', 'mediaId');
    const { preset, clipFromMs = null, clipToMs = null, subtitlesFrom = null } = input;
    const wanted = { preset, clipFromMs, clipToMs, subtitlesFrom };
    const { details, refusal: limit } = await this.facts.examine(media);
    const aboveLimit = limit && inputProblem(limit.code, limit.message, 'mediaId');
    const refusal =
      aboveLimit ?? refuseImpossible(wanted, details) ?? (await this.refuseSubtitles(viewer, media, wanted));
    const jobId = newId('job');
    const call = { ownerId: viewer.userId, operation: 'transcode', key, input };
    const [job] = await this.records.transaction((tx) =>
      jobsOnce(tx, call, [jobId], async () => {
        if (refusal) throw refusal; // a call that was made before is answered as it was then
        const priority = PRIORITIES[input.priority ?? 'NORMAL'];
        return [await this.begin(tx, { ...media, durationMs: details.durationMs }, wanted, { jobId, priority })];
      }),
    );
    return job!;
  }

  /** Writes the job. The last thing in a transaction, because it appends events. */
  begin(
    tx: MediaTransaction,
    media: Pick<MediaRow, 'id' | 'ownerId' | 'fileId' | 'durationMs'>,
    wanted: WantedRendition,
    { jobId, priority, callId = null }: { jobId: string; priority: number; callId?: string | null },
  ): Promise<Job> {
    return createJob(tx, this.events, transcodeJob, {
      id: jobId,
      ownerId: media.ownerId,
      subjectId: media.id,
      payload: { renditionId: newId('rnd'), mediaId: media.id, fileId: media.fileId, ...wanted },
      priority,
      callId,
      size: lengthOf(wanted, media.durationMs),
    });
  }

  private async refuseSubtitles(
    viewer: Viewer,
    media: MediaRow,
    { preset, subtitlesFrom }: WantedRendition,
  ): Promise<UserProblemError | null> {
    if (subtitlesFrom === null) return null;
    if (!PRESETS[preset].takesSubtitles) {
      return inputProblem('INVALID_INPUT', 'Only MP4_720P, MP4_1080P and HLS take subtitles.', 'subtitlesFrom');
    }
    const known = isId('trn', subtitlesFrom);
    const [transcript] = known ? await this.records.transcriptsByIds([subtitlesFrom], viewer.userId) : [];
    if (transcript?.mediaId !== media.id) {
      return inputProblem('NOT_FOUND', 'The recording has no transcript with this ID.', 'subtitlesFrom');
    }
    if (transcript.state === 'COMPLETE') return null;
    return inputProblem('INVALID_STATE', `The transcript is not complete: it is ${transcript.state}.`, 'subtitlesFrom');
  }
}

function refuseImpossible(wanted: WantedRendition, { probe, durationMs }: MediaDetails): UserProblemError | null {
  const { preset, clipFromMs, clipToMs } = wanted;
  const fromMs = clipFromMs ?? 0;
  const endMs = durationMs ?? Infinity;
  if (fromMs < 0)
    return inputProblem('INVALID_INPUT', `"clipFromMs" must not be negative; it was ${fromMs}.`, 'clipFromMs');
  if (fromMs >= endMs) {
    const message = `"clipFromMs" must lie before the end at ${endMs}; it was ${fromMs}.`;
    return inputProblem('INVALID_INPUT', message, 'clipFromMs');
  }
  if (clipToMs !== null && (clipToMs <= fromMs || clipToMs > endMs)) {
    const message = `"clipToMs" must lie behind ${fromMs}${endMs === Infinity ? '' : ` and not behind the end at ${endMs}`}; it was ${clipToMs}.`;
    return inputProblem('INVALID_INPUT', message, 'clipToMs');
  }
  if (!probe) return null; // the job tells why it cannot be read
  const has = (type: string): boolean => probe.streams.some((stream) => stream.type === type);
  const missing = missingFor(preset, { hasSound: has('audio'), hasPicture: has('video') });
  return missing === null ? null : inputProblem('UNSUPPORTED', missing, 'preset');
}

/** How much of a recording is converted, in milliseconds; null when its length is not known and counts. */
export function lengthOf(
  { clipFromMs, clipToMs }: Pick<WantedRendition, 'clipFromMs' | 'clipToMs'>,
  durationMs: number | null,
): number | null {
  const endMs = clipToMs === null ? durationMs : Math.min(clipToMs, durationMs ?? Infinity);
  return endMs === null ? null : endMs - (clipFromMs ?? 0);
}
