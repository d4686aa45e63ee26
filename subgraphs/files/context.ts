import DataLoader from 'dataloader';
import type { CallIdentity, Viewer } from '../../platform/identity/viewer';
import { isId } from '../../platform/ids';
import type { Files } from './files';
import type { FileRecords, FileRow } from './records';
import type { Uploads } from './uploads';

export interface FilesServices {
  files: Files;
  uploads: Uploads;
  records: FileRecords;
}

/** What one request carries. */
export interface FilesContext extends FilesServices {
  viewer: Viewer | null;
  loaders: Loaders;
  signal: AbortSignal;
}

interface Loaders {
  /** The viewer's own file; null for any other id. */
  ownFile: DataLoader<string, FileRow | null>;
}

export function createContext(services: FilesServices, identity: CallIdentity, signal: AbortSignal): FilesContext {
  return { ...services, viewer: identity.viewer, loaders: createLoaders(services.records, identity.viewer), signal };
}

function createLoaders(records: FileRecords, viewer: Viewer | null): Loaders {
  return {
    ownFile: new DataLoader(async (ids) => {
      const possible = ids.filter((id) => isId('fil', id));
      const rows = viewer && possible.length > 0 ? await records.filesByIds(possible, viewer.userId) : [];
      return ids.map((id) => rows.find((row) => row.id === id) ?? null);
    }),
  };
}
