import DataLoader from 'dataloader';
import type { CallIdentity, Viewer } from '../../platform/identity/viewer';
import { isId } from '../../platform/ids';
import type { Inbox } from './inbox';
import type { Jobs } from './jobs';
import type { NotificationRecords, NotificationRow } from './records';

export interface NotificationServices {
  inbox: Inbox;
  jobs: Jobs;
  records: NotificationRecords;
}

/** What one request carries. */
export interface NotificationContext extends NotificationServices {
  viewer: Viewer | null;
  loaders: Loaders;
  signal: AbortSignal;
}

interface Loaders {
  /** The viewer's own notification; null for any other id. */
  ownNotification: DataLoader<string, NotificationRow | null>;
  /** The kind of the viewer's own job; null for any other id. */
  ownJobKind: DataLoader<string, string | null>;
}

export function createContext(
  services: NotificationServices,
  identity: CallIdentity,
  signal: AbortSignal,
): NotificationContext {
  return { ...services, viewer: identity.viewer, loaders: createLoaders(services.records, identity.viewer), signal };
}

function createLoaders(records: NotificationRecords, viewer: Viewer | null): Loaders {
  return {
    ownJobKind: new DataLoader(async (ids) => {
      const kinds = viewer ? await records.jobKinds(viewer.userId, ids) : new Map<string, string>();
      return ids.map((id) => kinds.get(id) ?? null);
    }),
    ownNotification: new DataLoader(async (ids) => {
      const possible = ids.filter((id) => isId('ntf', id));
      const rows = viewer && possible.length > 0 ? await records.notificationsByIds(viewer.userId, possible) : [];
      return ids.map((id) => rows.find((row) => row.id === id) ?? null);
    }),
  };
}
