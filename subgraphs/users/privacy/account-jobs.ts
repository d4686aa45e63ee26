import DataLoader from 'dataloader';
import { isId } from '../../../platform/ids';
import type { Viewer } from '../../../platform/identity/viewer';
import type { AccountJobRow, AccountReceiptRow, PrivacyRecords } from './privacy-records';

/** What one request reads of jobs on the viewer's account. */
export interface AccountJobLoaders {
  /** The viewer's own job on its account; null for any other id. */
  ownAccountJob: DataLoader<string, AccountJobRow | null>;
  /** By job: the file it has packed. */
  archive: DataLoader<string, string | null>;
  receipts: DataLoader<string, AccountReceiptRow[]>;
}

export function createAccountJobLoaders(records: PrivacyRecords, viewer: Viewer | null): AccountJobLoaders {
  return {
    ownAccountJob: new DataLoader(async (ids) => {
      const possible = ids.filter((id) => isId('job', id));
      const rows = viewer && possible.length > 0 ? await records.accountJobs(possible, viewer.userId) : [];
      return ids.map((id) => rows.find((row) => row.id === id) ?? null);
    }),
    archive: new DataLoader(async (jobIds) => {
      const found = await records.archives(jobIds);
      return jobIds.map((id) => found.get(id) ?? null);
    }),
    receipts: new DataLoader(async (jobIds) => {
      const rows = await records.receipts(jobIds);
      return jobIds.map((id) => rows.filter(({ jobId }) => jobId === id));
    }),
  };
}
