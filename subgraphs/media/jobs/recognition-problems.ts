import { JobProblem } from '../../../platform/jobs/job-handler';
import { DecoderFailedError } from '../decoder/media-problem';
import type { MediaProblemCode } from '../errors';
import { InvalidVocabularyError } from '../transcriber/pocketsphinx/vocabulary/grammar-text';
import { TranscriberFailedError, UnsupportedLanguageError, UnsupportedOptionError } from '../transcriber/transcriber';
import type { Checkpoint } from '../transcription/checkpoint';
import { recordingProblem } from './job-problems';

/** Names a failure for the job's owner; what is none of ours stays as it is, for the log and another attempt. */
export function asRecognitionProblem(error: unknown): unknown {
  if (error instanceof UnsupportedLanguageError || error instanceof UnsupportedOptionError) {
    return problem('UNSUPPORTED', error.message, false, error);
  }
  if (error instanceof InvalidVocabularyError) return problem('INVALID_INPUT', error.message, false, error);
  if (error instanceof TranscriberFailedError) {
    const message = 'The speech engine stopped before the recording was heard to its end.';
    return problem('INTERNAL', message, error.retryable, error);
  }
  if (error instanceof DecoderFailedError) {
    return problem('INTERNAL', 'The decoder was stopped before the recording was heard to its end.', true, error);
  }
  return recordingProblem(error) ?? error;
}

/** What the owner of a job is told that has heard no word, so that they find out why. */
export function noSpeech({ heardMs, spokenMs }: Pick<Checkpoint, 'heardMs' | 'spokenMs'>): JobProblem {
  const seconds = (ms: number): string => String(+(ms / 1_000).toFixed(1));
  const share = heardMs === 0 ? 0 : Math.round((spokenMs / heardMs) * 100);
  return problem(
    'NO_SPEECH',
    `No speech was recognized in ${seconds(heardMs)} s of audio; ${seconds(spokenMs)} s of it (${share} %) sounded like a voice. Check that the right sound track was recorded, and how loud.`,
    false,
  );
}

function problem(code: MediaProblemCode, message: string, retryable: boolean, cause?: unknown): JobProblem {
  return new JobProblem(code, message, retryable, { cause });
}
