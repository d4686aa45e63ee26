import { asSegmentRow, type MediaDatabase, type SegmentRow, type TranscriptRow } from '../records';

/** What a rendering says of the transcript as a whole. */
export type ExportedTranscript = Pick<
  TranscriptRow,
  'id' | 'language' | 'engine' | 'confidence' | 'durationMs' | 'state'
>;

/** One segment and what else a rendering may show of it. */
export interface ExportSegment extends SegmentRow {
  /** What the speaker is called; null when it is not known who speaks. */
  speakerLabel: string | null;
  /** In the language asked for; null without one, or when this segment has not been translated yet. */
  translation: { text: string; isStale: boolean } | null;
}

/** Everything a rendering is made of, all of one moment. */
export interface ExportContent {
  /** In the order of the recording. */
  segments: ExportSegment[];
  /** False when a translation was asked for and there is none in this language. */
  isTranslated: boolean;
}

/** What exports read. */
export class ExportRecords {
  constructor(private readonly database: MediaDatabase) {}

  /** The content of a transcript the caller has been found to own, with its translation into `language` if one is given. */
  contentOf(transcriptId: string, language: string | null): Promise<ExportContent> {
    return this.database.momentOf(async (tx) => {
      const rows = await tx.segment.findMany({
        where: { transcriptId },
        orderBy: { position: 'asc' },
        include: { speaker: { select: { label: true } } },
      });
      const translation =
        language === null
          ? null
          : await tx.transcriptTranslation.findUnique({
              where: { transcriptId_language: { transcriptId, language } },
              include: { segments: true },
            });
      const translated = new Map(translation?.segments.map((segment) => [segment.segmentId, segment]));
      const segments = rows.map(({ speaker, ...row }): ExportSegment => {
        const found = translated.get(row.id);
        return {
          ...asSegmentRow(row),
          speakerLabel: speaker?.label ?? null,
          translation: found ? { text: found.text, isStale: found.segmentRevision !== row.revision } : null,
        };
      });
      return { segments, isTranslated: language === null || translation !== null };
    });
  }
}
