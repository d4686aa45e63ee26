import { isDeepStrictEqual } from 'node:util';
import type { UserProblemError } from '../../../platform/errors';
import { isId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { PRIORITIES, type Job, type JobPriority } from '../../../platform/jobs/job';
import { callOf, orderedJobIds, type DerivedJobs } from '../asking/derived-jobs';
import { jobsOnce } from '../asking/once';
import { inputProblem } from '../errors';
import { isMediaJobKind, type MediaJobKind } from '../jobs/kinds';
import { orThrow, type RecognitionOptions, type RecognitionPlan } from '../recognition';
import type { MediaRecords, MediaRow, TranscriptRow } from '../records';
import type { Transcodings, WantedRendition } from '../transcoding/transcodings';
import type { Transcripts } from '../transcripts';
import { storedPlan } from '../transcription/recognition-plan';
import type { Freshness } from './freshness';
import { filesAnew, languagesAnew, renditionsAnew, type TranscriptRenewal } from './renewal';

export interface ReprocessInput {
  mediaId: string;
  /** Kinds as in the graph's JobKind enum. */
  steps?: readonly string[] | null | undefined;
  options?: RecognitionOptions | null | undefined;
  priority?: JobPriority | null | undefined;
  idempotencyKey?: string | null | undefined;
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
   * Begins the jobs for all that is stale, in the order in which they depend on each other; none when nothing is, or
   * somebody is at it already. NOT_FOUND for a foreign recording.
   */
  async reprocess(viewer: Viewer, { idempotencyKey: key, ...input }: ReprocessInput): Promise<Job[]> {
    const { records, transcripts, derived, transcodings } = this.parts;
    const [media] = isId('med', input.mediaId) ? await records.mediaByIds([input.mediaId], viewer.userId) : [];
    if (!media) throw inputProblem('NOT_FOUND', 'You have no recording with this ID.', 'mediaId');
    const strange = input.steps?.find((kind) => !isMediaJobKind(kind));
    if (strange) throw inputProblem('INVALID_INPUT', `${strange} is not a job on a recording.`, 'steps');
    if (input.options && input.steps && !input.steps.includes('TRANSCRIBE')) {
      throw inputProblem(
        'INVALID_INPUT',
        '"options" say how speech is recognized; "steps" leave TRANSCRIBE out.',
        'options',
      );
    }
    const { renewals, renditions } = await this.renewalOf(media, input);
    const nextId = orderedJobIds();
    const anew = renewals.map(({ source, plan, languages, files }) => ({
      source,
      plan,
      jobId: plan ? nextId() : null,
      results: {
        translations: languages.map((language) => ({ language, jobId: nextId() })),
        files: files.map((file) => ({ ...file, jobId: nextId() })),
      },
    }));
    const versions = renditions.map((rendition) => ({ rendition, jobId: nextId() }));
    const jobIds = [
      ...anew.flatMap(({ jobId, results: { translations, files } }) => [
        ...(jobId === null ? [] : [jobId]),
        ...[...translations, ...files].map((result) => result.jobId),
      ]),
      ...versions.map(({ jobId }) => jobId),
    ];
    const callId = callOf(jobIds);
    const call = { ownerId: viewer.userId, operation: 'reprocess', key, input };
    return records.transaction((tx) =>
      jobsOnce(tx, call, jobIds, async () => {
        const priority = PRIORITIES[input.priority ?? 'NORMAL'];
        const jobs: Job[] = [];
        for (const { source, plan, jobId, results } of anew) {
          const wanted = orThrow(plan);
          const begun =
            wanted &&
            (await transcripts.begin(tx, media, wanted, { ...(jobId === null ? {} : { jobId }), priority, callId }));
          const transcriptId = begun?.transcriptId ?? source.id;
          const needs = begun ? [begun.job.id] : [];
          const about = { ownerId: viewer.userId, mediaId: media.id, transcriptId, priority, callId, needs };
          if (begun) jobs.push(begun.job);
          jobs.push(...(await derived.begin(tx, about, results)));
        }
        for (const { rendition, jobId } of versions) {
          jobs.push(await transcodings.begin(tx, media, rendition, { jobId, priority, callId }));
        }
        return jobs;
      }),
    );
  }

  private async renewalOf(
    media: MediaRow,
    { steps, options }: ReprocessInput,
  ): Promise<{ renewals: TranscriptRenewal[]; renditions: WantedRendition[] }> {
    const { records, freshness } = this.parts;
    const [all] = await freshness.derivationsOf([media]);
    const [stale, underWay] = [await freshness.staleOutputs(all!), await records.unfinishedJobs(media.id)];
    const situation = { all: all!, stale, underWay };
    const isWanted = (kind: MediaJobKind): boolean => !steps || steps.includes(kind);
    const isBeingHeard = underWay.some(({ kind }) => kind === 'TRANSCRIBE' || kind === 'REFINE_TRANSCRIPT');
    const renewals: TranscriptRenewal[] = [];
    const complete = all!.transcripts.filter(({ state }) => state === 'COMPLETE');
    // The oldest first, so that what was the newest is made last and stays it. Other options than before are for that one.
    for (const source of complete.toReversed()) {
      const mayBeHeard = isWanted('TRANSCRIBE') && !isBeingHeard;
      const plan = mayBeHeard ? await this.planAnew(source, stale, source === complete[0] ? options : null) : null;
      const from = { source, isHeardAnew: plan !== null };
      const languages = isWanted('TRANSLATE_TRANSCRIPT') ? languagesAnew(situation, from) : [];
      const files = isWanted('EXPORT_TRANSCRIPT') ? filesAnew(situation, from, languages) : [];
      renewals.push({ source, plan, languages, files });
    }
    return { renewals, renditions: isWanted('TRANSCODE') ? renditionsAnew(situation) : [] };
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
