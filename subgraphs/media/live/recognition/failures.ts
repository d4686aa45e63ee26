import { DecoderFailedError, MediaProblem } from '../../decoder/media-problem';
import { InvalidVocabularyError } from '../../transcriber/pocketsphinx/vocabulary/grammar-text';
import {
  EngineUnavailableError,
  TranscriberFailedError,
  UnsupportedLanguageError,
  UnsupportedOptionError,
} from '../../transcriber/transcriber';
import type { SessionFailure } from './ending';

/** What a session's owner is told when this is why it cannot go on, and whether another try may help; null for any other error. */
export function failureOf(error: unknown): (SessionFailure & { mayPass: boolean }) | null {
  // What somebody must install, pay or set up is not there a moment later.
  if (error instanceof EngineUnavailableError)
    return { code: 'ENGINE_UNAVAILABLE', message: error.message, mayPass: error.retryAfterMs !== undefined };
  if (error instanceof TranscriberFailedError) {
    const message = 'The speech engine stopped again and again before everything was heard.';
    return { code: 'INTERNAL', message, mayPass: error.retryable };
  }
  if (error instanceof DecoderFailedError) {
    const message = 'The decoder was stopped before everything was heard.';
    return { code: 'INTERNAL', message, mayPass: true };
  }
  if (error instanceof MediaProblem) return { code: error.code, message: error.message, mayPass: false };
  if (error instanceof InvalidVocabularyError) return { code: 'INVALID_INPUT', message: error.message, mayPass: false };
  if (error instanceof UnsupportedLanguageError || error instanceof UnsupportedOptionError)
    return { code: 'UNSUPPORTED', message: error.message, mayPass: false };
  return null;
}
