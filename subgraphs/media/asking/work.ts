import { UserProblemError } from '../../../platform/errors';
import { isId, newId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import { FINAL_STATES, PRIORITIES, type Job, type JobPriority } from '../../../platform/jobs/job';
import { inputProblem, type MediaProblemCode } from '../errors';
import type { MediaFacts } from '../facts/facts';
import { orThrow, type RecognitionOptions } from '../recognition';
import type { MediaRecords, MediaTransaction, TranscriptRow } from '../records';
import { UNDETERMINED, type Transcripts } from '../transcripts';
import type { TextTranslator } from '../translating/text-translator';
import type { TranslationRecords } from '../translating/translation-records';
import { callOf, orderedJobIds, type DerivedJobs, type Derivation } from './derived-jobs';
import { checkedFile, checkedFiles, type FileInput } from './files';
import { checkedLanguages, translationProblem } from './languages';
import { jobsOnce } from './once';

interface Asked {
  priority?: JobPriority | null | undefined;
  idempotencyKey?: string | null | undefined;
}

export interface TranscribeInput extends Asked {
  mediaId: string;
  options?: RecognitionOptions | null | undefined;
  translateTo?: readonly string[] | null | undefined;
  exports?: readonly FileInput[] | null | undefined;
}

export interface TranslateTranscriptInput extends Asked {
  transcriptId: string;
  to: readonly string[];
}

export interface ExportTranscriptInput extends Asked, FileInput {
  transcriptId: string;
}

/**
 * Asking for work on recordings: what is refused, and the jobs that the rest becomes. All jobs of a call are made or none;
 * a repeated call (same idempotency key) is answered with those of the first, whatever would be refused by now.
 */
export class MediaWork {
  constructor(
    private readonly parts: {
      records: MediaRecords;
      facts: MediaFacts;
      transcripts: Transcripts;
      translations: TranslationRecords;
      translator: TextTranslator;
      derived: DerivedJobs;
    },
  ) {}

  /**
   * Begins a transcript, its translations and its files; answers the transcription's job. NOT_FOUND for a foreign
   * recording, INVALID_INPUT for one whose headers show within 4 s that it is above the limits; else the job tells.
   */
  async transcribe(viewer: Viewer, { idempotencyKey: key, ...input }: TranscribeInput): Promise<Job> {
    const { records, facts, transcripts, derived, translator } = this.parts;
    const [media] = isId('med', input.mediaId) ? await records.mediaByIds([input.mediaId], viewer.userId) : [];
    if (!media) throw inputProblem('NOT_FOUND', 'You have no recording with this ID.', 'mediaId');
    const languages = input.translateTo?.length ? checkedLanguages(input.translateTo, ['input', 'translateTo']) : [];
    const files = checkedFiles(input.exports ?? [], languages, ['input', 'exports']);
    const plan = await transcripts.plan(input.options ?? {}, ['input', 'options']);
    const spoken = plan instanceof UserProblemError ? null : plan.language;
    const limit = media.durationMs === null ? (await facts.examine(media)).refusal : null;
    const refusal =
      (limit && inputProblem(limit.code, limit.message, 'mediaId')) ??
      (spoken && (await translationProblem(translator, spoken, languages, ['input', 'translateTo'])));

    const nextId = orderedJobIds();
    const jobId = nextId();
    const wantedResults = {
      translations: languages.map((language) => ({ language, jobId: nextId() })),
      files: files.map((file) => ({ ...file, jobId: nextId() })),
    };
    const call = { ownerId: viewer.userId, operation: 'transcribe', key, input };
    const [job] = await records.transaction((tx) =>
      jobsOnce(tx, call, [jobId], async () => {
        const wanted = orThrow(plan);
        if (refusal) throw refusal;
        const priority = priorityOf(input);
        const { job, transcriptId } = await transcripts.begin(tx, media, wanted, { jobId, priority });
        const about = {
          ownerId: viewer.userId,
          mediaId: media.id,
          transcriptId,
          priority,
          callId: null,
          needs: [jobId],
        };
        await derived.begin(tx, about, wantedResults);
        return [job];
      }),
    );
    return job!;
  }

  /** Begins one job for each language; each waits for a transcript that still grows. NOT_FOUND, INVALID_STATE, … */
  async translateTranscript(
    viewer: Viewer,
    { idempotencyKey: key, ...input }: TranslateTranscriptInput,
  ): Promise<Job[]> {
    const { records, translator, derived } = this.parts;
    const path = ['input', 'to'];
    const languages = checkedLanguages(input.to, path);
    const { language } = await this.ownTranscript(viewer, input.transcriptId);
    // A language that is still to be detected decides when it is known: the job fails then.
    const isKnown = language !== UNDETERMINED;
    const refusal = isKnown ? await translationProblem(translator, language, languages, path) : null;
    const nextId = orderedJobIds();
    const wanted = languages.map((language) => ({ language, jobId: nextId() }));
    const jobIds = wanted.map(({ jobId }) => jobId);
    const call = { ownerId: viewer.userId, operation: 'translateTranscript', key, input };
    return records.transaction((tx) =>
      jobsOnce(tx, call, jobIds, async () => {
        const about = await this.derivationOf(tx, viewer, input);
        if (refusal) throw refusal;
        return derived.begin(tx, { ...about, callId: callOf(jobIds) }, { translations: wanted, files: [] });
      }),
    );
  }

  /** Begins the job that renders a file; it waits for the transcript, and for the translation it shows, while they are under way. */
  async exportTranscript(viewer: Viewer, { idempotencyKey: key, ...input }: ExportTranscriptInput): Promise<Job> {
    const { records, derived } = this.parts;
    await this.ownTranscript(viewer, input.transcriptId);
    const file = checkedFile(input, ['input']);
    const jobId = newId('job');
    const call = { ownerId: viewer.userId, operation: 'exportTranscript', key, input };
    const [job] = await records.transaction((tx) =>
      jobsOnce(tx, call, [jobId], async () => {
        const about = await this.derivationOf(tx, viewer, input);
        const alsoNeeds = await this.translationNeeds(tx, input.transcriptId, file.options.translation);
        return [await derived.export(tx, about, { ...file, jobId, alsoNeeds })];
      }),
    );
    return job!;
  }

  private async ownTranscript(viewer: Viewer, transcriptId: string): Promise<TranscriptRow> {
    const { records } = this.parts;
    const [found] = isId('trn', transcriptId) ? await records.transcriptsByIds([transcriptId], viewer.userId) : [];
    if (found) return found;
    throw inputProblem('NOT_FOUND', 'You have no transcript with this ID.', 'transcriptId');
  }

  /** The transcript as it is in this transaction: a job on one that still grows waits for it. */
  private async derivationOf(
    tx: MediaTransaction,
    viewer: Viewer,
    input: { transcriptId: string } & Asked,
  ): Promise<Derivation> {
    const { transcriptId } = input;
    const [transcript] = await this.parts.records.transcriptsByIds([transcriptId], viewer.userId, tx);
    if (transcript?.state !== 'COMPLETE' && transcript?.state !== 'TRANSCRIBING') {
      const message = `Only a transcript that is complete or under way can be used; this one is ${transcript?.state ?? 'gone'}.`;
      throw inputProblem('INVALID_STATE', message, 'transcriptId');
    }
    const { state, mediaId, jobId } = transcript;
    if (mediaId === null) throw withoutRecording(state);
    const needs = state === 'TRANSCRIBING' && jobId !== null ? [jobId] : [];
    return { ownerId: viewer.userId, mediaId, transcriptId, priority: priorityOf(input), callId: null, needs };
  }

  private async translationNeeds(
    tx: MediaTransaction,
    transcriptId: string,
    language: string | null,
  ): Promise<string[]> {
    if (language === null) return [];
    const path = ['options', 'translation'];
    const translations = await this.parts.translations.ofTranscripts([transcriptId], tx);
    const translation = translations.find((row) => row.language === language);
    if (!translation) {
      throw inputProblem(
        'NOT_FOUND',
        `There is no translation into "${language}": make it with translateTranscript.`,
        ...path,
      );
    }
    const job = await tx.job.findUnique({ where: { id: translation.jobId } });
    if (job && !FINAL_STATES.includes(job.state)) return [job.id];
    if (translation.engine !== null) return [];
    const message = `The translation into "${language}" is not complete, and nobody is at it: make it with translateTranscript.`;
    throw inputProblem('INVALID_STATE', message, ...path);
  }
}

/** Jobs are work on a recording, and what they make belongs to it. */
function withoutRecording(state: TranscriptRow['state']): UserProblemError<MediaProblemCode> {
  const why =
    state === 'TRANSCRIBING'
      ? 'This transcript is of a live session that has not ended: ask again once it has left a recording.'
      : 'This transcript is of a live session that has kept no recording.';
  const otherwise = '`TranscriptSegment.translation(to:)` and `Transcript.export` work without a job, and at once.';
  return inputProblem('INVALID_STATE', `${why} ${otherwise}`, 'transcriptId');
}

function priorityOf({ priority }: Asked): number {
  return PRIORITIES[priority ?? 'NORMAL'];
}
