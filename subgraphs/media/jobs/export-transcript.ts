import type { JobDefinition } from '../../../platform/jobs/job';
import type { ExportOptions } from '../exports/export-options';
import type { TranscriptFormat } from '../exports/export-transcript';

/** Render one transcript and store it as a file. */
export interface ExportTranscriptPayload {
  transcriptId: string;
  format: TranscriptFormat;
  options: ExportOptions;
}

export const exportTranscriptJob: JobDefinition<ExportTranscriptPayload> = {
  kind: 'EXPORT_TRANSCRIPT',
  maxAttempts: 3,
  parse(payload) {
    const { transcriptId, format, options } = (payload ?? {}) as Partial<ExportTranscriptPayload>;
    if (typeof transcriptId === 'string' && typeof format === 'string' && options && typeof options === 'object') {
      return { transcriptId, format, options };
    }
    throw new TypeError(`The payload of a ${this.kind} job must have "transcriptId", "format" and "options".`);
  },
};
