import { z } from 'zod';
import type { JobDefinition } from '../../../platform/jobs/job';
import { parsePlan, type RecognitionPlan } from '../transcription/recognition-plan';

const subjects = z.object({ transcriptId: z.string(), mediaId: z.string(), fileId: z.string() });

/** Hear the recording of a live session again, as its transcript was asked for, and merge the result into that transcript. */
export type RefineTranscriptPayload = z.infer<typeof subjects> & RecognitionPlan;

export const refineTranscriptJob: JobDefinition<RefineTranscriptPayload> = {
  kind: 'REFINE_TRANSCRIPT',
  maxAttempts: 3,
  parse: (payload) => ({ ...subjects.parse(payload), ...parsePlan(payload) }),
};
