import { deleteInPieces, inPages, type AccountData } from '../../platform/account-data';
import type { Platform } from '../../platform/platform';
import { FileRecords, FILES_MODELS, type FileRow } from './records';

const PAGE = 200;

/** What this slice has of an account: files, and every other object that was made of them, e.g. other versions. */
export function createFilesAccountData({ database, objects }: Pick<Platform, 'database' | 'objects'>): AccountData {
  const records = new FileRecords(database.slice(FILES_MODELS));
  return {
    subgraph: 'files',
    async export(ownerId, archive) {
      // Archives of earlier exports hold nothing that is not in this one.
      const files = () => inPages((afterId) => records.objectsOf(ownerId, PAGE, afterId, { archives: false }));
      const count = await archive.lines('files/files.ndjson', files());
      for await (const file of files()) {
        const content = { sizeBytes: Number(file.sizeBytes), open: () => objects.read(file.id) };
        await archive.bytes(`files/objects/${pathOf(file)}`, content);
      }
      return { files: count };
    },
    async delete({ ownerId, step }) {
      await deleteInPieces({ step }, async (tx) => {
        const found = await records.objectsOf(ownerId, PAGE, '', { archives: true });
        const ids = found.map(({ id }) => id);
        await objects.removeBytes(ids);
        return { files: await records.deleteObjects(tx, ids) };
      });
    },
  };
}

/** A path that is unique and means nothing to whoever unpacks it: the names are whatever clients have called the files. */
function pathOf({ id, name }: FileRow): string {
  const harmless = name.replace(/[^\p{L}\p{N} ._-]+/gu, '_').replace(/^\.+/, '_');
  return `${id}/${[...harmless].slice(0, 100).join('') || 'file'}`;
}
