import DataLoader from 'dataloader';
import type { CallIdentity, Viewer } from '../../platform/identity/viewer';
import { isId } from '../../platform/ids';
import type { Accounts } from './accounts';
import type { SessionRow, UserRecords, UserRow } from './records';
import type { Sessions } from './sessions';

export interface UsersServices {
  accounts: Accounts;
  sessions: Sessions;
  records: UserRecords;
}

/** What one request carries. */
export interface UsersContext extends UsersServices {
  viewer: Viewer | null;
  loaders: Loaders;
  signal: AbortSignal;
}

interface Loaders {
  /** The viewer's own account; null for any other id. */
  ownUser: DataLoader<string, UserRow | null>;
  ownSession: DataLoader<string, SessionRow | null>;
}

export function createContext(services: UsersServices, identity: CallIdentity, signal: AbortSignal): UsersContext {
  return { ...services, viewer: identity.viewer, loaders: createLoaders(services.records, identity.viewer), signal };
}

function createLoaders(records: UserRecords, viewer: Viewer | null): Loaders {
  return {
    ownUser: new DataLoader(async (ids) => {
      const rows = viewer ? await records.usersByIds(ids.filter((id) => id === viewer.userId)) : [];
      return ids.map((id) => rows.find((row) => row.id === id) ?? null);
    }),
    ownSession: new DataLoader(async (ids) => {
      const possible = ids.filter((id) => isId('ses', id));
      const rows = viewer && possible.length > 0 ? await records.sessionsByIds(possible, viewer.userId) : [];
      return ids.map((id) => rows.find((row) => row.id === id) ?? null);
    }),
  };
}
