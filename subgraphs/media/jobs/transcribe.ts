import type { JobDefinition } from '../../../platform/jobs/job';

/** Turn the speech of one stored file into the segments of one transcript. */
export interface TranscribePayload {
  transcriptId: string;
  mediaId: string;
  fileId: string;
  /** BCP 47 tag of what is spoken. */
  language: string;
  /** Id of the engine that was chosen when the job was asked for. */
  engine: string;
}

const FIELDS = ['transcriptId', 'mediaId', 'fileId', 'language', 'engine'] as const;

export const transcribeJob: JobDefinition<TranscribePayload> = {
  kind: 'TRANSCRIBE',
  maxAttempts: 3,
  parse(payload) {
    const fields = (payload ?? {}) as Record<string, unknown>;
    const wrong = FIELDS.find((name) => typeof fields[name] !== 'string');
    if (wrong) throw new TypeError(`The payload of a ${this.kind} job must have a text "${wrong}".`);
    return fields as unknown as TranscribePayload; // every field was checked above
  },
};
