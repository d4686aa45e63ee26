import type { JobDefinition } from '../../../../platform/jobs/job';

/** Delete the job's owner with everything. */
export interface DeleteAccountPayload {
  userId: string;
  /** End of the grace period, ISO 8601; as the account's `deletesAt`, by which they belong together. */
  runsAfter: string;
}

export const deleteAccountJob: JobDefinition<DeleteAccountPayload> = {
  kind: 'DELETE_ACCOUNT',
  // A disk or a database may be away for hours; housekeeping starts it again after that.
  maxAttempts: 20,
  parse(payload) {
    const { userId, runsAfter } = (payload ?? {}) as Partial<DeleteAccountPayload>;
    if (typeof userId === 'string' && typeof runsAfter === 'string' && !Number.isNaN(Date.parse(runsAfter))) {
      return { userId, runsAfter };
    }
    throw new TypeError(`The payload of a ${this.kind} job must have "userId" and "runsAfter".`);
  },
};
