import type { JobDefinition } from '../../../platform/jobs/job';

/** Bring the translation of one transcript into one language up to date. */
export interface TranslateTranscriptPayload {
  /** The job's own id: what it has begun and nobody has taken over is removed when it is canceled. */
  jobId: string;
  transcriptId: string;
  /** BCP 47 tag of the language to translate into. */
  language: string;
}

const FIELDS = ['jobId', 'transcriptId', 'language'] as const;

export const translateTranscriptJob: JobDefinition<TranslateTranscriptPayload> = {
  kind: 'TRANSLATE_TRANSCRIPT',
  maxAttempts: 3,
  parse(payload) {
    const fields = (payload ?? {}) as Record<string, unknown>;
    const wrong = FIELDS.find((name) => typeof fields[name] !== 'string');
    if (wrong) throw new TypeError(`The payload of a ${this.kind} job must have a text "${wrong}".`);
    return fields as unknown as TranslateTranscriptPayload; // every field was checked above
  },
};
