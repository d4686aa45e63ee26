import { SautiError } from '../../../platform/errors';
import { isId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { PRIORITIES } from '../../../platform/jobs/job';
import { priceOf } from '../../../platform/credits/prices';
import { queuePosition, workloadOf } from '../../../platform/jobs/job-forecast';
import { isMediaJobKind, type MediaJobKind } from '../jobs/kinds';
import type { MediaRecords, MediaRow } from '../records';
import type { TranslationRecords } from '../translating/translation-records';
import { CHARACTERS_PER_MS, OVERHEAD_MS } from './measured';
import { speedsOf, waitBefore } from './wait-before';

const MAX_TARGET_LANGUAGES = 10;
/** The largest GraphQL Int. */
const MAX_INT = 2 ** 31 - 1;

export interface EstimateInput {
  /** As in the graph's JobKind enum. */
  kind: string;
  mediaId?: string | null | undefined;
  durationMs?: number | null | undefined;
  targetLanguages?: number | null | undefined;
}

export interface Estimate {
  /** Of all jobs that would be made. */
  credits: number;
  expectedMs: number;
  queuePosition: number;
  expectedAt: Date;
}

/** How long work would take, from what earlier work took, and what it would cost. */
export class Estimates {
  constructor(
    private readonly records: MediaRecords,
    private readonly translations: TranslationRecords,
    /** How long a recording plays that has not been asked yet, in milliseconds. */
    private readonly lengthOf: (media: MediaRow) => Promise<number | null>,
  ) {}

  /**
   * Estimates a job of normal priority that would be queued now, behind what really stands before it: see
   * {@link waitBefore}. Throws BAD_USER_INPUT for input that contradicts itself or a recording that does not tell its length, NOT_FOUND for a foreign one.
   */
  async estimate(viewer: Viewer, input: EstimateInput): Promise<Estimate> {
    const wanted = checked(input);
    const { kind } = wanted;
    const size = await this.sizeOf(viewer, wanted);
    const { ownerId, priority } = { ownerId: viewer.userId, priority: PRIORITIES.NORMAL };
    const { speeds, before, load } = await this.records.transaction(async (tx) => ({
      speeds: await speedsOf(tx),
      before: await queuePosition(tx, { ownerId, priority }),
      load: await workloadOf(tx, kind),
    }));
    const expectedMs = Math.min(MAX_INT, Math.round(OVERHEAD_MS + size / speeds[kind]));
    const waitMs = Math.min(MAX_INT, waitBefore(load, { before, speeds, ownMs: expectedMs }));
    const { targetLanguages } = wanted;
    const jobs = kind === 'TRANSLATE_TRANSCRIPT' ? targetLanguages : 1;
    const credits = Math.min(MAX_INT, (priceOf(kind, size / jobs) ?? 0) * jobs);
    return { credits, expectedMs, queuePosition: before, expectedAt: new Date(Date.now() + waitMs + expectedMs) };
  }

  /** In the unit that jobs of the kind are measured in: milliseconds of sound, or characters. */
  private async sizeOf(viewer: Viewer, { kind, mediaId, durationMs, targetLanguages }: CheckedInput): Promise<number> {
    if (mediaId === null) {
      return kind === 'TRANSLATE_TRANSCRIPT' ? durationMs! * CHARACTERS_PER_MS * targetLanguages : durationMs!;
    }
    const [media] = isId('med', mediaId) ? await this.records.mediaByIds([mediaId], viewer.userId) : [];
    if (!media) throw new SautiError('NOT_FOUND', 'You have no recording with this ID.');
    if (kind === 'TRANSLATE_TRANSCRIPT') return (await this.charactersOf(media)) * targetLanguages;
    return this.knownLengthOf(media);
  }

  /** Of the newest complete transcript; without one as many as are usual. */
  private async charactersOf(media: MediaRow): Promise<number> {
    const transcripts = await this.records.transcriptsOfMedia([media.id]);
    const newest = transcripts.find(({ state }) => state === 'COMPLETE');
    if (!newest) return (await this.knownLengthOf(media)) * CHARACTERS_PER_MS;
    return this.records.transaction((tx) => this.translations.charactersOf(tx, newest.id));
  }

  private async knownLengthOf(media: MediaRow): Promise<number> {
    const durationMs = media.durationMs ?? (await this.lengthOf(media));
    if (durationMs !== null) return durationMs;
    throw new SautiError('BAD_USER_INPUT', 'This recording does not tell how long it is: give "durationMs".');
  }
}

interface CheckedInput {
  kind: MediaJobKind;
  mediaId: string | null;
  /** Not null without `mediaId`. */
  durationMs: number | null;
  targetLanguages: number;
}

function checked({ kind, mediaId = null, durationMs = null, targetLanguages }: EstimateInput): CheckedInput {
  const languages = targetLanguages ?? 1;
  if (!isMediaJobKind(kind)) {
    throw new SautiError(
      'BAD_USER_INPUT',
      `Jobs of kind ${kind} are not on a recording: nothing is estimated for them.`,
    );
  }
  if ((mediaId === null) === (durationMs === null)) {
    throw new SautiError('BAD_USER_INPUT', 'Give exactly one of "mediaId" and "durationMs".');
  }
  if (durationMs !== null && durationMs < 1) {
    throw new SautiError('BAD_USER_INPUT', `"durationMs" must be at least 1; it was ${durationMs}.`);
  }
  if (languages < 1 || languages > MAX_TARGET_LANGUAGES) {
    const message = `"targetLanguages" must be 1 to ${MAX_TARGET_LANGUAGES}; it was ${languages}.`;
    throw new SautiError('BAD_USER_INPUT', message);
  }
  return { kind, mediaId, durationMs, targetLanguages: languages };
}
