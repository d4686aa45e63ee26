import { JobProblem, type JobContext, type JobHandler } from '../../../platform/jobs/job-handler';
import { resizeJob } from '../../../platform/jobs/job-size';
import type { Platform } from '../../../platform/platform';
import { recordLineage } from '../lineage/lineage';
import { LineageRecords } from '../lineage/lineage-records';
import { NO_ENGINE, translationOrigin } from '../lineage/origins';
import { MEDIA_MODELS, type MediaTransaction, type TranscriptRow } from '../records';
import { batchesOf, staleSentences } from '../translating/pending';
import { sentencesOf, spread, textOf, type Sentence } from '../translating/sentences';
import type { TextTranslator, TranslatingEngine } from '../translating/text-translator';
import { TranslationRecords, type TranslatedText } from '../translating/translation-records';
import { problemOfRule } from './job-problems';
import { translateTranscriptJob, type TranslateTranscriptPayload } from './translate-transcript';

type Context = JobContext<MediaTransaction>;
/** One run's work: which translation, of what, with which engine (null: same language). */
interface Translating {
  translationId: string;
  transcript: TranscriptRow;
  language: string;
  engine: TranslatingEngine | null;
}

/**
 * Makes the handler of TRANSLATE_TRANSCRIPT jobs. Each batch of sentences commits on its own, so that another attempt goes
 * on behind it. Only what is missing or was translated from an earlier text is translated; all of it when the engine is
 * another one, or another version, than before.
 */
export function createTranslateTranscriptHandler(options: {
  platform: Pick<Platform, 'database' | 'events'>;
  translator: TextTranslator;
}): JobHandler<TranslateTranscriptPayload, MediaTransaction> {
  const { platform, translator } = options;
  const database = platform.database.slice(MEDIA_MODELS);
  const records = new TranslationRecords(database);
  const lineage = new LineageRecords(database);
  return {
    definition: translateTranscriptJob,
    async run(payload, context) {
      try {
        context.progress(0, 'translate');
        const work = await begin(payload, context);
        await translateStale(work, context);
        const { translationId, transcript, language, engine } = work;
        return async (tx) => {
          await records.complete(tx, translationId, (engine ?? NO_ENGINE).engine);
          const mediaId = context.job.subjectId;
          const result = { outputId: translationId, mediaId, kind: translateTranscriptJob.kind };
          await recordLineage(tx, result, translationOrigin(transcript, language, engine));
        };
      } catch (error) {
        throw context.signal.aborted ? error : (problemOfRule(error) ?? error);
      }
    },
    // What failed is kept, so that a retry goes on there; what was canceled is gone.
    abandon: async (payload, tx, { outcome }) =>
      outcome === 'CANCELED' ? records.removeUnfinished(tx, payload) : undefined,
  };

  /** Opens the translation, anew if a cancel had removed it. */
  async function begin(payload: TranslateTranscriptPayload, context: Context): Promise<Translating> {
    const { transcriptId, language } = payload;
    const transcript = await records.transcript(transcriptId, context.job.ownerId);
    if (transcript?.state !== 'COMPLETE') throw notComplete(transcript);
    const engine = await translator.engineFor({ from: transcript.language, to: language });
    const size = await context.transaction((tx) => records.charactersOf(tx, transcriptId));
    await resizeJob(context, platform.events, size);
    const translationId = await context.transaction((tx) => records.open(tx, payload));
    const made = await lineage.of(translationId);
    const isOfAnother = made && (made.engine !== engine?.engine || made.engineVersion !== engine.engineVersion);
    if (isOfAnother) await context.transaction((tx) => records.startOver(tx, translationId));
    return { translationId, transcript, language, engine };
  }

  async function translateStale({ translationId, transcript, language }: Translating, context: Context): Promise<void> {
    const all = sentencesOf(await records.spokenTexts(transcript.id));
    const stale = staleSentences(all, await records.translatedRevisions(translationId));
    const total = all.reduce((sum, sentence) => sum + textOf(sentence).length, 0);
    let done = total - stale.reduce((sum, sentence) => sum + textOf(sentence).length, 0);
    for (const batch of batchesOf(stale)) {
      context.progress(total === 0 ? 0 : done / total, 'translate');
      const texts = batch.map(textOf);
      const from = batch[0]!.at(0)!.language;
      const translated = await translator.translate(texts, { from, to: language, signal: context.signal });
      const rows = batch.flatMap((sentence, index) => asRows(sentence, translated[index]!));
      await context.transaction((tx) => records.write(tx, translationId, rows));
      done += texts.reduce((sum, text) => sum + text.length, 0);
    }
  }
}

function asRows(sentence: Sentence, translation: string): TranslatedText[] {
  const parts = spread(translation, sentence);
  return sentence.map(({ id, revision }, index) => ({
    segmentId: id,
    segmentRevision: revision,
    text: parts[index]!,
  }));
}

function notComplete(transcript: TranscriptRow | null): JobProblem {
  if (!transcript) return new JobProblem('NOT_FOUND', 'The transcript is gone.', false);
  const message = `Only a complete transcript can be translated; this one is ${transcript.state}.`;
  return new JobProblem('INVALID_STATE', message, false);
}
