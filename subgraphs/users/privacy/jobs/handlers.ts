import type { Seal } from '../../../../platform/seal';
import type { AccountData } from '../../../../platform/account-data';
import type { AnyJobHandler } from '../../../../platform/jobs/job-runner';
import type { Platform } from '../../../../platform/platform';
import { createUsersAccountExport } from '../account-data';
import { createDeleteAccountHandler } from './delete-account.handler';
import { createExportAccountHandler } from './export-account.handler';

/** The handlers of all jobs on whole accounts; `slices` are the other subgraphs, in the order in which they delete. */
export function createAccountHandlers(options: {
  platform: Pick<Platform, 'database' | 'events' | 'objects'>;
  slices: readonly AccountData[];
  mailSeal: Seal;
}): AnyJobHandler[] {
  const { platform, slices } = options;
  const users = createUsersAccountExport(platform);
  return [createExportAccountHandler({ platform, slices: [users, ...slices] }), createDeleteAccountHandler(options)];
}
