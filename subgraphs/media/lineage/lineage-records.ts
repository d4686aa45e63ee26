import type { Lineage } from '../../../platform/database/prisma-client/client';
import type { MediaDatabase } from '../records';

export type LineageRow = Lineage;

/** The queries for where results come from. */
export class LineageRecords {
  constructor(private readonly database: MediaDatabase) {}

  /** Of several recordings, newest first. */
  ofMedia(mediaIds: readonly string[]): Promise<LineageRow[]> {
    return this.database.lineage.findMany({
      where: { mediaId: { in: [...mediaIds] } },
      orderBy: [{ createdAt: 'desc' }, { outputId: 'desc' }],
    });
  }

  of(outputId: string): Promise<LineageRow | null> {
    return this.database.lineage.findUnique({ where: { outputId } });
  }
}
