import type { AnyJobHandler } from '../../../platform/jobs/job-runner';
import type { Platform } from '../../../platform/platform';
import type { Transcribers } from '../transcribers';
import { createTranscribeHandler } from './transcribe.handler';

/** What the work of this slice is done with; all stays the caller's to dispose. */
export interface MediaWorkTools {
  platform: Platform;
  transcribers: Transcribers;
}

/** The handlers of all jobs on recordings. */
export function createMediaHandlers(tools: MediaWorkTools): AnyJobHandler[] {
  return [createTranscribeHandler(tools)];
}
