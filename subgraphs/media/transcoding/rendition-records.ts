import type { Rendition } from '../../../platform/database/prisma-client/client';
import type { MediaDatabase, MediaTransaction } from '../records';

export type RenditionRow = Rendition;

/** Every query about other versions of recordings. */
export class RenditionRecords {
  constructor(private readonly database: MediaDatabase) {}

  byIds(ids: readonly string[], ownerId: string): Promise<RenditionRow[]> {
    return this.database.rendition.findMany({ where: { id: { in: [...ids] }, media: { ownerId } } });
  }

  /** Newest first. */
  ofMedia(mediaIds: readonly string[]): Promise<RenditionRow[]> {
    return this.database.rendition.findMany({ where: { mediaId: { in: [...mediaIds] } }, orderBy: { id: 'desc' } });
  }

  async insert(tx: MediaTransaction, rendition: Omit<RenditionRow, 'createdAt'>): Promise<void> {
    await tx.rendition.create({ data: rendition });
  }
}
