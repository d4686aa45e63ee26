import type { JobDefinition } from '../../../../platform/jobs/job';

/** Pack everything of the job's owner into one archive. */
export type ExportAccountPayload = Record<string, never>;

export const exportAccountJob: JobDefinition<ExportAccountPayload> = {
  kind: 'EXPORT_ACCOUNT',
  maxAttempts: 3,
  parse: () => ({}),
};
