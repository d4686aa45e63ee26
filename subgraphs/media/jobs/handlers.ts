import type { AnyJobHandler } from '../../../platform/jobs/job-runner';
import type { Platform } from '../../../platform/platform';
import type { DecodeOptions } from '../decoder/decode-pcm';
import type { Transcribers } from '../transcribers';
import type { TextTranslator } from '../translating/text-translator';
import { createExportTranscriptHandler } from './export-transcript.handler';
import { createRefineTranscriptHandler } from './refine-transcript.handler';
import { createTranscodeHandler } from './transcode.handler';
import { createTranscribeHandler } from './transcribe.handler';
import { createTranslateTranscriptHandler } from './translate-transcript.handler';

/** What the work of this slice is done with; all stays the caller's to dispose. */
export interface MediaWorkTools {
  platform: Platform;
  transcribers: Transcribers;
  translator: TextTranslator;
  /** How recordings are decoded for speech engines; default as {@link DecodeOptions} says. */
  decoding?: Pick<DecodeOptions, 'stuckAfterMs'>;
}

/** The handlers of all jobs on recordings. */
export function createMediaHandlers(tools: MediaWorkTools): AnyJobHandler[] {
  return [
    createTranscribeHandler(tools),
    createTranscodeHandler(tools),
    createTranslateTranscriptHandler(tools),
    createExportTranscriptHandler(tools),
    createRefineTranscriptHandler(tools),
  ];
}
