import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { isUniqueViolation } from '../../../platform/database/database';
import { isDatabaseUnavailable, SautiError } from '../../../platform/errors';
import { deriveDownloadKey, signDownload } from '../../../platform/objects/signed-url';
import { sniffMimeType } from '../../../platform/objects/sniff';
import type { Platform } from '../../../platform/platform';
import { FFMPEG_IN_PATH, type FfmpegPrograms } from '../decoder/ffmpeg';
import { MediaProblem, type MediaProblemReason } from '../decoder/media-problem';
import { isMovingPicture } from '../decoder/probe-output';
import { readProbe } from '../decoder/read-probe';
import { asMediaTransaction, type MediaRow } from '../records';
import { describeProbe, durationOf, tagOf } from './describe-probe';
import { readPeaks, resamplePeaks } from './peaks';
import { MAX_COVER_BYTES, readCover, readTags } from './read-tags';
import type { FactRecords, MediaDetails } from './records';
import { takePicture } from './take-picture';
import { Turns } from './turns';

/** Files looked into at once, in this process. */
const AT_ONCE = 2;
/** How long a question waits for a look, in milliseconds: well below the gateway's 10 s for all of a request. */
export const ANSWER_WITHIN_MS = 4_000;
/** How long one look may take, in milliseconds. */
const LIMIT_MS = 30_000;
const LINK_MS = 3_600_000;
const COVER_TYPES = { 'image/jpeg': 'jpg', 'image/png': 'png', 'image/webp': 'webp' } as const;
const OVER_LIMITS: readonly MediaProblemReason[] = ['TOO_LONG', 'PICTURE_TOO_LARGE', 'TOO_MANY_STREAMS'];
const UNKNOWN: MediaDetails = { probe: null, durationMs: null, artist: null, album: null };

/** What is known before a job has read the recording. */
export interface Examined {
  details: MediaDetails;
  /** Why no job could use it, as far as the headers show: it is above a limit. */
  refusal: MediaProblem | null;
}

type Recording = Pick<MediaRow, 'id' | 'ownerId' | 'fileId'>;
type FactsPlatform = Pick<Platform, 'objects' | 'scratchDirectory' | 'mediaLimits' | 'secret' | 'filesUrl' | 'logger'>;

/**
 * What is in the bytes of recordings, found out on the first question and kept. Whoever asks the same at the same time
 * waits for the same look; one that leaves does not end it. A question waits 4 s at most and is then answered as if nothing
 * could be found out, while the look goes on and is kept for the next question. A file that cannot be read is told as null, for good; when
 * the look itself fails (no program, no time), that is logged, told as null, and the next question tries again.
 */
export class MediaFacts implements AsyncDisposable {
  private readonly turns = new Turns(AT_ONCE);
  private readonly looks = new Map<string, Promise<unknown>>();
  private readonly closing = new AbortController();

  constructor(
    private readonly records: FactRecords,
    private readonly platform: FactsPlatform,
    private readonly options: { programs?: FfmpegPrograms; answerWithinMs?: number } = {},
  ) {}

  /** What headers and tags say. Looks at the file, whatever is known: see {@link FactRecords.details}. */
  details(media: Recording): Promise<MediaDetails> {
    return this.inTime(this.read(media), UNKNOWN);
  }

  /** What headers and tags say, found out when nobody has asked before. */
  knownDetails(media: Recording): Promise<MediaDetails> {
    return this.inTime(this.detailsOf(media), UNKNOWN);
  }

  /** What headers and tags say, and whether that is above a limit. */
  examine(media: Recording): Promise<Examined> {
    const examining = this.detailsOf(media).then(async (details): Promise<Examined> => {
      return { details, refusal: details.probe ? null : await this.aboveLimits(media) };
    });
    return this.inTime(examining, { details: UNKNOWN, refusal: null });
  }

  /** Id of the file of the embedded picture (JPEG, PNG or WebP, at most 10 MiB), null when there is none. */
  coverArt(media: Recording): Promise<string | null> {
    return this.inTime(this.cover(media), null);
  }

  /** That many peaks (1 to 4000; otherwise BAD_USER_INPUT), each 0 to 1; null without sound. */
  async waveform(media: Recording, points: number): Promise<number[] | null> {
    requireBetween('points', points, 1, 4_000);
    const known = await this.records.peaks(media.id);
    const peaks = known !== undefined ? known : await this.inTime(this.listen(media), null);
    return peaks && peaks.length > 0 ? resamplePeaks(peaks, points) : null;
  }

  /** A link, good for an hour, to a picture of that moment; null without a film. BAD_USER_INPUT out of bounds. */
  async thumbnail(media: Recording, atMs: number, width: number): Promise<string | null> {
    requireBetween('atMs', atMs, 0, 2 ** 31 - 1);
    requireBetween('width', width, 16, 1_920);
    const fileId = await this.inTime(this.pictureOf(media, atMs, width), null);
    if (fileId === null) return null;
    const expiresAt = new Date(Date.now() + LINK_MS);
    const grant = { objectId: fileId, disposition: 'INLINE', expiresAt } as const;
    return signDownload(deriveDownloadKey(this.platform.secret), this.platform.filesUrl(), grant);
  }

  /** Ends every look. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.closing.abort(new Error('The process is stopping.'));
    await Promise.allSettled(this.looks.values());
  }

  private get programs(): FfmpegPrograms {
    return this.options.programs ?? FFMPEG_IN_PATH;
  }

  /** `otherwise` when the answer takes too long; whatever it waits for goes on. */
  private async inTime<Fact>(answer: Promise<Fact>, otherwise: Fact): Promise<Fact> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<Fact>((resolve) => {
      timer = setTimeout(resolve, this.options.answerWithinMs ?? ANSWER_WITHIN_MS, otherwise);
    });
    answer.catch(() => {}); // once it is too late, nobody listens any more
    try {
      return await Promise.race([answer, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async detailsOf(media: Recording): Promise<MediaDetails> {
    return (await this.records.details([media.id])).get(media.id) ?? this.read(media);
  }

  private aboveLimits(media: Recording): Promise<MediaProblem | null> {
    return this.look(media, 'limits', null, async (file, signal) => {
      const { maxDurationMs, maxPixels } = this.platform.mediaLimits;
      try {
        await readProbe(file, { signal, maxDurationMs, maxPixels, programs: this.programs });
        return null;
      } catch (error) {
        if (!(error instanceof MediaProblem)) throw error;
        return OVER_LIMITS.includes(error.reason) ? error : null;
      }
    });
  }

  private read(media: Recording): Promise<MediaDetails> {
    return this.look(media, 'details', UNKNOWN, async (file, signal) => {
      const { maxDurationMs, maxPixels } = this.platform.mediaLimits;
      const output = await readProbe(file, { signal, maxDurationMs, maxPixels, programs: this.programs })
        .then((reading) => reading.output)
        .catch(nullIfUnreadable);
      if (!output) return this.records.keepDetails(media.id, UNKNOWN, null);
      const probe = describeProbe(output);
      const tags = await readTags(file, signal);
      const artist = tags.artist ?? tagOf(probe, 'artist')?.slice(0, 200) ?? null;
      const album = tags.album ?? tagOf(probe, 'album')?.slice(0, 200) ?? null;
      const kind = output.streams?.some(isMovingPicture) ? 'VIDEO' : 'AUDIO';
      return this.records.keepDetails(media.id, { probe, durationMs: durationOf(output), artist, album }, kind);
    });
  }

  private async cover(media: Recording): Promise<string | null> {
    const known = await this.records.cover(media.id);
    if (known !== undefined) return known;
    const { probe } = await this.detailsOf(media);
    return this.look(media, 'cover', null, async (file, signal) => {
      const isTooLarge = probe?.streams.some(
        ({ type, width, height }) => type === 'picture' && !fits(width, height, this.platform.mediaLimits.maxPixels),
      );
      const picture = probe && !isTooLarge ? await readCover(file, signal) : null;
      const ending = picture && COVER_TYPES[(await sniffMimeType(picture)) as keyof typeof COVER_TYPES];
      if (ending) await this.keepCover(media, picture, `cover.${ending}`);
      else await this.records.transaction((tx) => this.records.keepCover(media.id, null, tx));
      return (await this.records.cover(media.id)) ?? null;
    });
  }

  private async pictureOf(media: Recording, atMs: number, width: number): Promise<string | null> {
    const { probe, durationMs } = await this.detailsOf(media);
    if (!probe?.streams.some(({ type }) => type === 'video')) return null;
    // Pictures a tenth of a second apart are the same to a viewer; behind the end there is only the last one.
    const place = durationMs !== null && atMs >= durationMs ? null : Math.floor(atMs / 100) * 100;
    const key = `thumbnail-${place ?? 'last'}-${width}`;
    return (await this.records.derivedFile(media.id, key)) ?? (await this.picture(media, key, place, width));
  }

  private listen(media: Recording): Promise<Uint8Array | null> {
    return this.look(media, 'peaks', null, async (file, signal) => {
      const { maxDurationMs, maxPixels } = this.platform.mediaLimits;
      const programs = this.programs;
      const peaks = await readProbe(file, { signal, maxDurationMs, maxPixels, programs })
        .then(() => readPeaks(file, { signal, maxDurationMs, programs }))
        .catch(nullIfUnreadable);
      await this.records.keepPeaks(media.id, peaks);
      return peaks;
    });
  }

  private picture(media: Recording, key: string, atMs: number | null, width: number): Promise<string | null> {
    return this.look(media, key, null, async (file, signal) => {
      const { maxPixels } = this.platform.mediaLimits;
      const options = { atMs, width, signal, maxPixels, programs: this.programs };
      const picture = await takePicture(file, path.dirname(file), options);
      if (!picture) return null;
      try {
        return await this.platform.objects.put(derived(media, `${key}.jpg`, picture), async (tx, { id: fileId }) => {
          await this.records.keepDerivedFile(asMediaTransaction(tx), { mediaId: media.id, key, fileId });
          return fileId;
        });
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        return this.records.derivedFile(media.id, key); // another process was faster
      }
    });
  }

  private async keepCover(media: Recording, picture: Buffer, name: string): Promise<void> {
    try {
      await this.platform.objects.put(derived(media, name, picture), async (tx, { id }) => {
        if (!(await this.records.keepCover(media.id, id, asMediaTransaction(tx)))) throw new KnownAlready();
      });
    } catch (error) {
      if (!(error instanceof KnownAlready) && !isUniqueViolation(error)) throw error;
    }
  }

  /** One look into a recording's file, in a directory of its own, when its turn comes. */
  private look<Fact>(
    media: Recording,
    what: string,
    unknown: Fact,
    find: (file: string, signal: AbortSignal) => Promise<Fact>,
  ): Promise<Fact> {
    const key = `${media.id} ${what}`;
    const underWay = this.looks.get(key) as Promise<Fact> | undefined; // what is kept under a key has the type of its `what`
    if (underWay) return underWay;
    const looking = this.turns
      .take(this.closing.signal, () => this.inOwnDirectory(media, find))
      .catch((error: unknown) => {
        if (isDatabaseUnavailable(error)) throw error;
        this.platform.logger.warn({ error, mediaId: media.id, what }, 'a recording could not be looked into');
        return unknown;
      })
      .finally(() => this.looks.delete(key));
    this.looks.set(key, looking);
    return looking;
  }

  private async inOwnDirectory<Fact>(
    media: Recording,
    find: (file: string, signal: AbortSignal) => Promise<Fact>,
  ): Promise<Fact> {
    const { objects, scratchDirectory } = this.platform;
    if (!(await objects.find(media.fileId, media.ownerId))) throw new Error(`${media.fileId} is not its owner's file.`);
    await mkdir(scratchDirectory, { recursive: true });
    const directory = await mkdtemp(path.join(scratchDirectory, 'facts-'));
    try {
      const file = path.join(directory, 'recording');
      const signal = AbortSignal.any([this.closing.signal, AbortSignal.timeout(LIMIT_MS)]);
      await objects.placeAt(media.fileId, file, signal);
      return await find(file, signal);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

/** Rolls the second of two equal files back. */
class KnownAlready extends Error {}

function nullIfUnreadable(error: unknown): null {
  if (error instanceof MediaProblem) return null;
  throw error;
}

/** A file that was made of a recording; no list of files shows it. */
function derived(media: Recording, name: string, bytes: Buffer) {
  return {
    ownerId: media.ownerId,
    name,
    source: Readable.from([bytes]),
    maxBytes: MAX_COVER_BYTES,
    argumentPath: [],
    partOf: media.id,
  };
}

function fits(width: number | null, height: number | null, maxPixels: number): boolean {
  return width !== null && height !== null && width * height <= maxPixels;
}

function requireBetween(name: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw new SautiError('BAD_USER_INPUT', `"${name}" must be between ${min} and ${max}; it was ${value}.`);
}
