import type { Segment, TranscriptTranslation } from '../../../platform/database/prisma-client/client';
import { newId } from '../../../platform/ids';
import type { MediaDatabase, MediaTransaction, TranscriptRow } from '../records';

export type TranslationRow = TranscriptTranslation;
/** What a translation needs to know of a segment. */
export type SpokenText = Pick<
  Segment,
  'id' | 'revision' | 'text' | 'language' | 'channel' | 'speakerId' | 'startMs' | 'endMs'
>;
/** A translated segment: its text, and the revision of the segment that was translated. */
export interface TranslatedText {
  segmentId: string;
  segmentRevision: number;
  text: string;
}

/** The revision that no segment has: marks a translation that has to be made anew. */
const NO_REVISION = 0;

/** The queries for translations of whole transcripts. */
export class TranslationRecords {
  constructor(private readonly database: MediaDatabase) {}

  byIds(ids: readonly string[], ownerId: string): Promise<TranslationRow[]> {
    return this.database.transcriptTranslation.findMany({
      where: { id: { in: [...ids] }, transcript: { ownerId } },
    });
  }

  /** Those of several transcripts, in the order in which they were first asked for. */
  ofTranscripts(
    transcriptIds: readonly string[],
    tx: Pick<MediaDatabase, 'transcriptTranslation'> = this.database,
  ): Promise<TranslationRow[]> {
    return tx.transcriptTranslation.findMany({
      where: { transcriptId: { in: [...transcriptIds] } },
      orderBy: { id: 'asc' },
    });
  }

  /** The translation of a transcript into a language; made by this job when there is none yet. */
  async open(tx: MediaTransaction, about: { transcriptId: string; language: string; jobId: string }): Promise<string> {
    const { transcriptId, language } = about;
    const row = await tx.transcriptTranslation.upsert({
      where: { transcriptId_language: { transcriptId, language } },
      create: { id: newId('ttr'), ...about },
      update: {},
      select: { id: true },
    });
    return row.id;
  }

  /** Notes which job renews it. */
  async assign(tx: MediaTransaction, id: string, jobId: string): Promise<void> {
    await tx.transcriptTranslation.update({ where: { id }, data: { jobId } });
  }

  /** Removes what a job has begun, unless it was complete before or another job is at it now. */
  async removeUnfinished(
    tx: MediaTransaction,
    about: { transcriptId: string; language: string; jobId: string },
  ): Promise<void> {
    await tx.transcriptTranslation.deleteMany({ where: { ...about, engine: null } });
  }

  /** The texts of a transcript in their order. */
  spokenTexts(transcriptId: string): Promise<SpokenText[]> {
    return this.database.segment.findMany({
      where: { transcriptId },
      orderBy: { position: 'asc' },
      select: {
        id: true,
        revision: true,
        text: true,
        language: true,
        channel: true,
        speakerId: true,
        startMs: true,
        endMs: true,
      },
    });
  }

  /** How many characters a transcript has. */
  async charactersOf(tx: MediaTransaction, transcriptId: string): Promise<number> {
    const [row] = await tx.$queryRaw<{ characters: number }[]>`
      select coalesce(sum(length(text)), 0)::int as characters from media.segment where transcript_id = ${transcriptId}`;
    return row!.characters;
  }

  /** By segment: the revision that was translated. */
  async translatedRevisions(translationId: string): Promise<Map<string, number>> {
    const rows = await this.database.segmentTranslation.findMany({
      where: { translationId },
      select: { segmentId: true, segmentRevision: true },
    });
    return new Map(rows.map((row) => [row.segmentId, row.segmentRevision]));
  }

  async write(tx: MediaTransaction, translationId: string, texts: readonly TranslatedText[]): Promise<void> {
    for (const { segmentId, ...data } of texts) {
      await tx.segmentTranslation.upsert({
        where: { translationId_segmentId: { translationId, segmentId } },
        create: { translationId, segmentId, ...data },
        update: data,
      });
    }
  }

  /** Makes every segment stale, and forgets where the translation came from; its texts stay until they are made anew. */
  async startOver(tx: MediaTransaction, translationId: string): Promise<void> {
    await tx.segmentTranslation.updateMany({ where: { translationId }, data: { segmentRevision: NO_REVISION } });
    await tx.lineage.deleteMany({ where: { outputId: translationId } });
  }

  async complete(tx: MediaTransaction, id: string, engine: string): Promise<void> {
    await tx.transcriptTranslation.update({ where: { id }, data: { engine } });
  }

  /** By translation: how many segments are missing in it or were translated from an earlier text. */
  async staleSegments(ids: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.database.transaction(
      (tx) => tx.$queryRaw<{ id: string; stale: number }[]>`
        select t.id, count(*)::int as stale from media.transcript_translation t
          join media.segment s on s.transcript_id = t.transcript_id
          left join media.segment_translation st on st.translation_id = t.id and st.segment_id = s.id
         where t.id = any(${[...ids]}) and st.segment_revision is distinct from s.revision group by t.id`,
    );
    return new Map(rows.map((row) => [row.id, row.stale]));
  }

  /** The texts of several translations, in the order of the recordings. */
  texts(ids: readonly string[]): Promise<{ translationId: string; text: string }[]> {
    return this.database.segmentTranslation.findMany({
      where: { translationId: { in: [...ids] } },
      orderBy: { segment: { position: 'asc' } },
      select: { translationId: true, text: true },
    });
  }

  transcript(id: string, ownerId: string): Promise<TranscriptRow | null> {
    return this.database.transcript.findFirst({ where: { id, ownerId } });
  }
}
