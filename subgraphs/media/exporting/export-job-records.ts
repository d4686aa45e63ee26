import type { MediaDatabase, MediaRow, MediaTransaction, TranscriptRow } from '../records';

const KEY_PREFIX = 'export:';

/** The queries for files that were rendered by jobs. */
export class ExportJobRecords {
  constructor(private readonly database: MediaDatabase) {}

  /** A transcript with its recording; null when it is gone, or has none. */
  async source(
    transcriptId: string,
    ownerId: string,
  ): Promise<(TranscriptRow & { media: Pick<MediaRow, 'id' | 'title'> }) | null> {
    const found = await this.database.transcript.findFirst({
      where: { id: transcriptId, ownerId },
      include: { media: { select: { id: true, title: true } } },
    });
    return found?.media ? { ...found, media: found.media } : null;
  }

  /** A translation with the origin that its present text has; null when there is none. */
  async translationOf(
    transcriptId: string,
    language: string,
  ): Promise<{ id: string; settingsHash: string | null } | null> {
    const found = await this.database.transcriptTranslation.findUnique({
      where: { transcriptId_language: { transcriptId, language } },
      select: { id: true },
    });
    if (!found) return null;
    const origin = await this.database.lineage.findUnique({ where: { outputId: found.id } });
    return { id: found.id, settingsHash: origin?.settingsHash ?? null };
  }

  /** Notes the file that a job has made. */
  async attach(tx: MediaTransaction, jobId: string, file: { mediaId: string; fileId: string }): Promise<void> {
    await tx.derivedFile.create({ data: { ...file, key: keyOf(jobId) } });
  }

  /** By job: the file it has made. */
  async filesOfJobs(jobs: readonly { id: string; subjectId: string }[]): Promise<Map<string, string>> {
    const rows = await this.database.derivedFile.findMany({
      where: { OR: jobs.map(({ id, subjectId }) => ({ mediaId: subjectId, key: keyOf(id) })) },
    });
    return new Map(rows.map(({ key, fileId }) => [key.slice(KEY_PREFIX.length), fileId]));
  }
}

function keyOf(jobId: string): string {
  return `${KEY_PREFIX}${jobId}`;
}
