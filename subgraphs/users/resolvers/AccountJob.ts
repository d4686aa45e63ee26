import { priorityOf, snapshotOf } from '../../../platform/jobs/job';
import { deleteAccountJob } from '../privacy/jobs/delete-account';
import type { AccountJobKind } from '../privacy/jobs/kinds';
import type { AccountJobResolvers, ErrorCode } from '../resolvers-types.generated';

export const AccountJob: AccountJobResolvers = {
  __resolveReference: ({ id }, { loaders }) => loaders.ownAccountJob.load(id),
  kind: ({ kind }) => kind as AccountJobKind, // no other kinds are read
  priority: (job) => priorityOf(job),
  // Handlers and the runner give codes of the enum only; serialization refuses any other.
  error: (job) => snapshotOf(job).error as { code: ErrorCode; message: string; retryable: boolean } | null,
  archive: async ({ id }, _args, { loaders }) => {
    const fileId = await loaders.archive.load(id);
    return fileId === null ? null : { id: fileId };
  },
  runsAfter: ({ kind, payload }) =>
    kind === deleteAccountJob.kind ? new Date(deleteAccountJob.parse(payload).runsAfter) : null,
  receipts: ({ id }, _args, { loaders }) => loaders.receipts.load(id),
};
