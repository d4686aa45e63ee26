import type { Prisma } from '../../../platform/database/prisma-client/client';
import type { MediaJobKind } from '../jobs/kinds';
import type { MediaRecords, MediaRow, TranscriptRow } from '../records';
import type { TranslationRecords, TranslationRow } from '../translating/translation-records';
import type { EnginesNow } from './engines-now';
import { hashOf, type Origin } from './lineage';
import type { LineageRecords, LineageRow } from './lineage-records';
import {
  exportOrigin,
  fileSettingsOf,
  isLive,
  newestOfEach,
  renditionOrigin,
  renditionSettingsOf,
  translationOrigin,
} from './origins';

/** What has been made of a recording, and where each result comes from. */
export interface Derivations {
  media: MediaRow;
  /** Newest first, as are the lines of the lineage. */
  transcripts: TranscriptRow[];
  translations: TranslationRow[];
  lineage: LineageRow[];
}

/** Tells which results the same request would not give any more. */
export class Freshness {
  constructor(
    private readonly parts: {
      records: MediaRecords;
      translations: TranslationRecords;
      lineage: LineageRecords;
      engines: EnginesNow;
    },
  ) {}

  /** Of several recordings, in their order. */
  async derivationsOf(recordings: readonly MediaRow[]): Promise<Derivations[]> {
    const { records, translations, lineage } = this.parts;
    const ids = recordings.map(({ id }) => id);
    const [transcripts, lines] = await Promise.all([records.transcriptsOfMedia(ids), lineage.ofMedia(ids)]);
    const translated = await translations.ofTranscripts(transcripts.map(({ id }) => id));
    return recordings.map((media) => {
      const own = transcripts.filter(({ mediaId }) => mediaId === media.id);
      const ownIds = new Set(own.map(({ id }) => id));
      return {
        media,
        transcripts: own,
        translations: translated.filter(({ transcriptId }) => ownIds.has(transcriptId)),
        lineage: lines.filter(({ mediaId }) => mediaId === media.id),
      };
    });
  }

  /**
   * Ids of the results that are stale. One that could not be made here and now is not: nothing better is to be had. Nor is
   * one that has been replaced.
   */
  async staleOutputs(all: Derivations): Promise<ReadonlySet<string>> {
    const stale = await Promise.all(
      newestOfEach(all.lineage).map(async (row) => {
        const now = await this.originNow(row, all);
        return now !== null && hashOf(now) !== row.settingsHash ? [row.outputId] : [];
      }),
    );
    return new Set(stale.flat());
  }

  private async originNow(row: LineageRow, all: Derivations): Promise<Origin | null> {
    switch (row.kind as MediaJobKind) {
      case 'TRANSCRIBE':
      case 'REFINE_TRANSCRIPT':
        return this.transcriptOriginNow(row, all);
      case 'TRANSLATE_TRANSCRIPT':
        return this.translationOriginNow(row, all);
      case 'EXPORT_TRANSCRIPT':
        return exportOriginNow(row, all);
      case 'TRANSCODE':
        return this.renditionOriginNow(row, all);
    }
  }

  private async transcriptOriginNow(row: LineageRow, { media, transcripts }: Derivations): Promise<Origin | null> {
    const transcript = transcripts.find(({ id }) => id === row.outputId);
    const { engines } = this.parts;
    // A session cannot be heard live again: another engine that recordings would get now does not make it stale.
    const engine = isLive(row)
      ? await engines.named(row.engine)
      : transcript && (await engines.recognizing(transcript));
    return engine ? { inputIds: [media.fileId], ...engine, settings: row.settings as Prisma.InputJsonObject } : null;
  }

  private async renditionOriginNow(row: LineageRow, { media, transcripts }: Derivations): Promise<Origin | null> {
    const { subtitlesFrom, ...wanted } = renditionSettingsOf(row);
    const subtitles = transcripts.find(({ id }) => id === subtitlesFrom) ?? null;
    if (subtitlesFrom !== null && !subtitles) return null;
    const engine = await this.parts.engines.converting();
    return engine && renditionOrigin(media.fileId, subtitles, engine, wanted);
  }

  private async translationOriginNow(row: LineageRow, all: Derivations): Promise<Origin | null> {
    const translation = all.translations.find(({ id }) => id === row.outputId);
    const transcript = all.transcripts.find(({ id }) => id === translation?.transcriptId);
    if (!translation || !transcript) return null;
    const engine = await this.parts.engines.translating({ from: transcript.language, to: translation.language });
    return engine && translationOrigin(transcript, translation.language, engine);
  }
}

function exportOriginNow(row: LineageRow, { transcripts, translations, lineage }: Derivations): Origin | null {
  const transcript = transcripts.find(({ id }) => id === row.inputIds[0]);
  if (!transcript) return null;
  const wanted = fileSettingsOf(row);
  const { translation: language } = wanted.options;
  if (language === null) return exportOrigin(transcript, null, wanted);
  const translation = translations.find((one) => one.transcriptId === transcript.id && one.language === language);
  if (!translation) return null;
  const settingsHash = lineage.find(({ outputId }) => outputId === translation.id)?.settingsHash ?? null;
  return exportOrigin(transcript, { id: translation.id, settingsHash }, wanted);
}
