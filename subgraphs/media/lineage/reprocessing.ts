import { isDeepStrictEqual } from 'node:util';
import { UserProblemError } from '../../../platform/errors';
import { isId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { PRIORITIES, type Job, type JobPriority } from '../../../platform/jobs/job';
import { withJobIds, type DerivedJobs, type WantedResults } from '../asking/derived-jobs';
import { jobsOnce } from '../asking/once';
import type { MediaProblemCode } from '../errors';
import { exportTranscriptJob } from '../jobs/export-transcript';
import type { MediaJobKind } from '../jobs/kinds';
import { orThrow, type RecognitionOptions, type RecognitionPlan } from '../recognition';
import type { MediaRecords, MediaRow, TranscriptRow } from '../records';
import type { Transcripts } from '../transcripts';
import { storedPlan } from '../transcription/recognition-plan';
import type { Derivations, Freshness } from './freshness';
import { fileSettingsOf } from './origins';

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
  results: WantedResults;
}

/** Making anew what is stale, and what is made of it. */
export class Reprocessing {
  constructor(
    private readonly parts: {
      records: MediaRecords;
      transcripts: Transcripts;
      derived: DerivedJobs;
      freshness: Freshness;
    },
  ) {}

  /**
   * Begins the jobs in the order in which they depend on each other; none when nothing is stale, or somebody is at it
   * already. NOT_FOUND for a foreign recording.
   */
  async reprocess(viewer: Viewer, { idempotencyKey: key, ...input }: ReprocessInput): Promise<Job[]> {
    const { records, transcripts, derived } = this.parts;
    const [media] = isId('med', input.mediaId) ? await records.mediaByIds([input.mediaId], viewer.userId) : [];
    if (!media) throw problem('NOT_FOUND', 'You have no recording with this ID.', 'mediaId');
    if (input.options && input.steps && !input.steps.includes('TRANSCRIBE')) {
      throw problem(
        'INVALID_INPUT',
        '"options" say how speech is recognized; "steps" leave TRANSCRIBE out.',
        'options',
      );
    }
    const { source, plan, results } = await this.renewalOf(media, input);
    const anew = plan ? withJobIds([{}]) : [];
    const jobIds = [...anew, ...results.translations, ...results.files].map(({ jobId }) => jobId);
    const call = { ownerId: viewer.userId, operation: 'reprocess', key, input };
    return records.transaction((tx) =>
      jobsOnce(tx, call, jobIds, async () => {
        const priority = PRIORITIES[input.priority ?? 'NORMAL'];
        const wanted = orThrow(plan);
        const begun = wanted && (await transcripts.begin(tx, media, wanted, { ...anew[0], priority }));
        const transcriptId = begun?.transcriptId ?? source?.id;
        if (transcriptId === undefined) return [];
        const jobs = begun ? [begun.job] : [];
        const needs = jobs.map(({ id }) => id);
        const about = { ownerId: viewer.userId, mediaId: media.id, transcriptId, priority, needs };
        return [...jobs, ...(await derived.begin(tx, about, results))];
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
    const none = { source, plan: null, results: { translations: [], files: [] } };
    if (!source) return none;

    const isBeingHeard = underWay.some(({ kind }) => kind === 'TRANSCRIBE');
    const plan = isWanted('TRANSCRIBE') && !isBeingHeard ? await this.planAnew(source, stale, options) : null;
    const isAt = (jobId: string): boolean => !plan && underWay.some(({ id }) => id === jobId);
    const translations = all.translations.filter(
      ({ id, transcriptId, jobId, engine }) =>
        transcriptId === source.id && engine !== null && !isAt(jobId) && (plan !== null || stale.has(id)),
    );
    const languages = isWanted('TRANSLATE_TRANSCRIPT') ? translations.map(({ language }) => ({ language })) : [];

    const isBeingWritten = (file: object): boolean =>
      !plan &&
      underWay.some(
        ({ kind, payload }) =>
          kind === exportTranscriptJob.kind && isDeepStrictEqual(payload, { transcriptId: source.id, ...file }),
      );
    const files = newestFiles(all, source).filter(({ outputId, wanted }) => {
      const { translation } = wanted.options;
      const isShownAnew = languages.some(({ language }) => language === translation);
      if (plan) return translation === null || isShownAnew;
      return (stale.has(outputId) || isShownAnew) && !isBeingWritten(wanted);
    });
    const wantedFiles = isWanted('EXPORT_TRANSCRIPT') ? files.map(({ wanted }) => wanted) : [];
    return { source, plan, results: { translations: withJobIds(languages), files: withJobIds(wantedFiles) } };
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

function problem(code: MediaProblemCode, message: string, field: string): UserProblemError<MediaProblemCode> {
  return new UserProblemError({ code, message, path: ['input', field] });
}
