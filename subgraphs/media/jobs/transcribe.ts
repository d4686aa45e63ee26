import { z } from 'zod';
import type { JobDefinition } from '../../../platform/jobs/job';
import { parsePlan, type RecognitionPlan } from '../transcription/recognition-plan';

const subjects = z.object({ transcriptId: z.string(), mediaId: z.string(), fileId: z.string() });

/** Turn the speech of one stored file into the segments of one transcript. */
export type TranscribePayload = z.infer<typeof subjects> & RecognitionPlan;

export const transcribeJob: JobDefinition<TranscribePayload> = {
  kind: 'TRANSCRIBE',
  maxAttempts: 3,
  parse: (payload) => ({ ...subjects.parse(payload), ...parsePlan(payload) }),
};
