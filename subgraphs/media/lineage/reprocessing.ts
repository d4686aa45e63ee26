import { isDeepStrictEqual } from 'node:util';
import { UserProblemError } from '../../../platform/errors';
import { isId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { PRIORITIES, type Job, type JobPriority } from '../../../platform/jobs/job';
import { orderedJobIds, type DerivedJobs } from '../asking/derived-jobs';
import type { WantedFile } from '../asking/files';
import { jobsOnce } from '../asking/once';
import type { MediaProblemCode } from '../errors';
import { exportTranscriptJob } from '../jobs/export-transcript';
import type { MediaJobKind } from '../jobs/kinds';
import { transcodeJob } from '../jobs/transcode';
import { orThrow, type RecognitionOptions, type RecognitionPlan } from '../recognition';
import type { MediaRecords, MediaRow, TranscriptRow } from '../records';
import type { Transcodings, WantedRendition } from '../transcoding/transcodings';
import type { Transcripts } from '../transcripts';
import { storedPlan } from '../transcription/recognition-plan';
import type { Derivations, Freshness } from './freshness';
import { fileSettingsOf, renditionSettingsOf } from './origins';

export interface ReprocessInput {
  mediaId: string;
  steps?: readonly MediaJobKind[] | null | undefined;
  options?: RecognitionOptions | null | undefined;
  priority?: JobPriority | null | undefined;
  idempotencyKey?: string | null | undefined;
}

/** What is to be made anew; nothing when all of it is empty. */
interface Renewal {
  /** The transcript that results are made of, unless it is made anew itself. */
  source: TranscriptRow | null;
  /** How it is made anew; null when it stays. A problem refuses a first call only, see {@link orThrow}. */
  plan: RecognitionPlan | UserProblemError | null;
  languages: string[];
  files: WantedFile[];
  renditions: WantedRendition[];
}

/** Making anew what is stale, and what is made of it. */
export class Reprocessing {
  constructor(
    private readonly parts: {
      records: MediaRecords;
      transcripts: Transcripts;
      derived: DerivedJobs;
      transcodings: Transcodings;
      freshness: Freshness;
    },
  ) {}

  /**
   * Begins the jobs in the order in which they depend on each other; none when nothing is stale, or somebody is at it
   * already. NOT_FOUND for a foreign recording.
   */
  async reprocess(viewer: Viewer, { idempotencyKey: key, ...input }: ReprocessInput): Promise<Job[]> {
    const { records, transcripts, derived, transcodings } = this.parts;
    const [media] = isId('med', input.mediaId) ? await records.mediaByIds([input.mediaId], viewer.userId) : [];
    if (!media) throw problem('NOT_FOUND', 'You have no recording with this ID.', 'mediaId');
    if (input.options && input.steps && !input.steps.includes('TRANSCRIBE')) {
      throw problem(
        'INVALID_INPUT',
        '"options" say how speech is recognized; "steps" leave TRANSCRIBE out.',
        'options',
      );
    }
    const { source, plan, languages, files, renditions } = await this.renewalOf(media, input);
    const nextId = orderedJobIds();
    const anew = plan ? [{ jobId: nextId() }] : [];
    const results = {
      translations: languages.map((language) => ({ language, jobId: nextId() })),
      files: files.map((file) => ({ ...file, jobId: nextId() })),
    };
    const versions = renditions.map((rendition) => ({ rendition, jobId: nextId() }));
    const jobIds = [...anew, ...results.translations, ...results.files, ...versions].map(({ jobId }) => jobId);
    const call = { ownerId: viewer.userId, operation: 'reprocess', key, input };
    return records.transaction((tx) =>
      jobsOnce(tx, call, jobIds, async () => {
        const priority = PRIORITIES[input.priority ?? 'NORMAL'];
        const wanted = orThrow(plan);
        const begun = wanted && (await transcripts.begin(tx, media, wanted, { ...anew[0], priority }));
        const transcriptId = begun?.transcriptId ?? source?.id;
        const jobs = begun ? [begun.job] : [];
        if (transcriptId !== undefined) {
          const needs = jobs.map(({ id }) => id);
          const about = { ownerId: viewer.userId, mediaId: media.id, transcriptId, priority, needs };
          jobs.push(...(await derived.begin(tx, about, results)));
        }
        for (const { rendition, jobId } of versions) {
          jobs.push(await transcodings.begin(tx, media, rendition, { jobId, priority }));
        }
        return jobs;
      }),
    );
  }

  private async renewalOf(media: MediaRow, { steps, options }: ReprocessInput): Promise<Renewal> {
    const { records, freshness } = this.parts;
    const all = await freshness.derivationsOf(media);
    const stale = await freshness.staleOutputs(all);
    const underWay = await records.unfinishedJobs(media.id);
    const isWanted = (kind: MediaJobKind): boolean => !steps || steps.includes(kind);
    const source = all.transcripts.find(({ state }) => state === 'COMPLETE') ?? null;
    const renditions = isWanted('TRANSCODE') ? staleRenditions(all, stale, underWay) : [];
    if (!source) return { source, plan: null, languages: [], files: [], renditions };

    const isBeingHeard = underWay.some(({ kind }) => kind === 'TRANSCRIBE');
    const plan = isWanted('TRANSCRIBE') && !isBeingHeard ? await this.planAnew(source, stale, options) : null;
    const isAt = (jobId: string): boolean => !plan && underWay.some(({ id }) => id === jobId);
    const translations = all.translations.filter(
      ({ id, transcriptId, jobId, engine }) =>
        transcriptId === source.id && engine !== null && !isAt(jobId) && (plan !== null || stale.has(id)),
    );
    const languages = isWanted('TRANSLATE_TRANSCRIPT') ? translations.map(({ language }) => language) : [];

    const isBeingWritten = (file: object): boolean =>
      !plan &&
      underWay.some(
        ({ kind, payload }) =>
          kind === exportTranscriptJob.kind && isDeepStrictEqual(payload, { transcriptId: source.id, ...file }),
      );
    const files = newestFiles(all, source).filter(({ outputId, wanted }) => {
      const { translation } = wanted.options;
      const isShownAnew = languages.some((language) => language === translation);
      if (plan) return translation === null || isShownAnew;
      return (stale.has(outputId) || isShownAnew) && !isBeingWritten(wanted);
    });
    const wantedFiles = isWanted('EXPORT_TRANSCRIPT') ? files.map(({ wanted }) => wanted) : [];
    return { source, plan, languages, files: wantedFiles, renditions };
  }

  /** How a transcript is to be made anew; null when it is as it would be now. */
  private async planAnew(
    source: TranscriptRow,
    stale: ReadonlySet<string>,
    options: RecognitionOptions | null | undefined,
  ): Promise<RecognitionPlan | UserProblemError | null> {
    const { transcripts } = this.parts;
    const path = ['input', 'options'];
    const asked = storedPlan(source.options);
    const asBefore = asked && (await transcripts.planAgain(asked, path));
    if (!options) return stale.has(source.id) ? asBefore : null;
    const plan = await transcripts.plan(options, path);
    return stale.has(source.id) || !isDeepStrictEqual(plan, asBefore) ? plan : null;
  }
}

/** The files of a transcript, of equal ones the newest. */
function newestFiles({ lineage }: Derivations, source: TranscriptRow) {
  const files = lineage
    .filter(({ kind, inputIds }) => kind === exportTranscriptJob.kind && inputIds[0] === source.id)
    .map((row) => ({ outputId: row.outputId, wanted: fileSettingsOf(row) }));
  return files.filter(
    ({ wanted }, index) => files.findIndex((file) => isDeepStrictEqual(file.wanted, wanted)) === index,
  );
}

/** Of equal renditions the newest counts; none that is being made anew already. */
function staleRenditions(
  { lineage }: Derivations,
  stale: ReadonlySet<string>,
  underWay: readonly Job[],
): WantedRendition[] {
  const made = lineage
    .filter(({ kind }) => kind === transcodeJob.kind)
    .map((row) => ({ outputId: row.outputId, wanted: renditionSettingsOf(row) }));
  const newest = made.filter(
    ({ wanted }, index) => made.findIndex((one) => isDeepStrictEqual(one.wanted, wanted)) === index,
  );
  const isBeingMade = (wanted: WantedRendition): boolean =>
    underWay.some(({ kind, payload }) => {
      if (kind !== transcodeJob.kind) return false;
      const { preset, clipFromMs, clipToMs, subtitlesFrom } = transcodeJob.parse(payload);
      return isDeepStrictEqual({ preset, clipFromMs, clipToMs, subtitlesFrom }, wanted);
    });
  return newest
    .filter(({ outputId, wanted }) => stale.has(outputId) && !isBeingMade(wanted))
    .map(({ wanted }) => wanted);
}

function problem(code: MediaProblemCode, message: string, field: string): UserProblemError<MediaProblemCode> {
  return new UserProblemError({ code, message, path: ['input', field] });
}
