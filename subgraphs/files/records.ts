import type { PlatformTransaction, SliceDatabase } from '../../platform/database/database';
import type { StoredObject } from '../../platform/objects/stored-objects';

/** A stored object's registry row is the file: its id is the file's id. */
export type FileRow = StoredObject;

export const FILES_MODELS = ['storedObject'] as const;
type FilesDatabase = SliceDatabase<(typeof FILES_MODELS)[number]>;

export interface FileConditions {
  /** Part of the name; no character is a wildcard. */
  nameContains: string | null;
  mimeTypes: readonly string[] | null;
}

/** Every query of the files slice; the bytes and their rows are written by the platform's object store. */
export class FileRecords {
  constructor(private readonly database: FilesDatabase) {}

  filesByIds(ids: readonly string[], ownerId: string): Promise<FileRow[]> {
    return this.database.storedObject.findMany({ where: { id: { in: [...ids] }, ownerId } });
  }

  fileById(id: string): Promise<FileRow | null> {
    return this.database.storedObject.findUnique({ where: { id } });
  }

  /** The object of this name among an object and its parts. */
  partByName(id: string, name: string): Promise<FileRow | null> {
    return this.database.storedObject.findFirst({ where: { name, OR: [{ id }, { partOf: id }] } });
  }

  /** The owner's files that meet the conditions, newest first, below `beforeId`. */
  filesOf(ownerId: string, conditions: FileConditions, take: number, beforeId: string | null): Promise<FileRow[]> {
    const { nameContains, mimeTypes } = conditions;
    return this.database.storedObject.findMany({
      where: {
        ownerId,
        partOf: null,
        ...(nameContains !== null ? { name: { contains: escapeLike(nameContains), mode: 'insensitive' } } : {}),
        ...(mimeTypes ? { mimeType: { in: [...mimeTypes] } } : {}),
        ...(beforeId ? { id: { lt: beforeId } } : {}),
      },
      orderBy: { id: 'desc' },
      take,
    });
  }

  /** All objects of the owner, oldest first, behind `afterId`; `archives`: also those that hold whole accounts. */
  objectsOf(ownerId: string, take: number, afterId: string, { archives }: { archives: boolean }): Promise<FileRow[]> {
    const isNoArchive = { OR: [{ partOf: null }, { NOT: { partOf: { startsWith: 'job_' } } }] };
    return this.database.storedObject.findMany({
      where: { AND: [{ ownerId, id: { gt: afterId } }, archives ? {} : isNoArchive] },
      orderBy: { id: 'asc' },
      take,
    });
  }

  async deleteObjects(tx: PlatformTransaction, ids: readonly string[]): Promise<number> {
    return (await tx.storedObject.deleteMany({ where: { id: { in: [...ids] } } })).count;
  }
}

/** Prisma hands the text to ILIKE as it is, where %, _ and the backslash have a meaning of their own. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
