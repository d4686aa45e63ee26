import { UserProblemError, type UserProblem } from '../../../platform/errors';
import { JobProblem } from '../../../platform/jobs/job-handler';
import { DownloadFailed } from '../../../platform/objects/download';
import { MediaProblem } from '../decoder/media-problem';
import { EngineUnavailableError } from '../transcriber/transcriber';

/** What passes: an engine that cannot work, or a full disk, may be better at the next attempt. */
const MAY_PASS: readonly string[] = ['ENGINE_UNAVAILABLE', 'INSUFFICIENT_STORAGE'];

/**
 * What a job's owner is told when the recording cannot be had or read, or a program or engine is missing; null for any
 * other failure.
 */
export function recordingProblem(error: unknown): JobProblem | null {
  if (error instanceof MediaProblem) return new JobProblem(error.code, error.message, false, { cause: error });
  // An engine that is held off for half a minute would use up all attempts before.
  if (error instanceof EngineUnavailableError)
    return new JobProblem('ENGINE_UNAVAILABLE', error.message, true, causedBy(error, error.retryAfterMs));
  if (error instanceof DownloadFailed) {
    const code = error.problem === 'GONE' ? 'NOT_FOUND' : 'INTERNAL';
    return new JobProblem(code, error.message, error.retryable, { cause: error });
  }
  return null;
}

/** What a job's owner is told of a problem that a rule of ours has met while the job ran; null for any other failure. */
export function problemOfRule(error: unknown): JobProblem | null {
  if (!(error instanceof UserProblemError)) return null;
  const { code, message, retryAfterMs } = error.problem as UserProblem;
  return new JobProblem(code, message, MAY_PASS.includes(code), causedBy(error, retryAfterMs));
}

function causedBy(cause: Error, retryAfterMs: number | undefined): { cause: Error; retryAfterMs?: number } {
  return retryAfterMs === undefined ? { cause } : { cause, retryAfterMs };
}
