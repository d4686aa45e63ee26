import { isDatabaseUnavailable, SautiError, UserProblemError } from '../../../../platform/errors';
import type { MediaProblemCode } from '../../errors';
import { LiveCloseCode } from './frames';
import { SequenceGap, WriterReplaced } from './problems';

/** What a writer is told when nothing more is taken from it. */
export interface Outcome {
  closeCode: LiveCloseCode;
  /** Of HTTP. */
  status: number;
  problem: { code: string; message: string; expectedSequence?: number; retryAfterMs?: number };
  /** Whether the writer is not told what happened, so that the log has to be. */
  isMasked: boolean;
}

const DATABASE_BACK_MS = 2_000;

const ANSWERS: Partial<Record<MediaProblemCode, { closeCode: LiveCloseCode; status: number }>> = {
  NOT_FOUND: { closeCode: LiveCloseCode.UnknownSession, status: 404 },
  INVALID_STATE: { closeCode: LiveCloseCode.SessionOver, status: 410 },
  ENGINE_BUSY: { closeCode: LiveCloseCode.Busy, status: 429 },
  ENGINE_UNAVAILABLE: { closeCode: LiveCloseCode.Busy, status: 503 },
};
const BAD_AUDIO = { closeCode: LiveCloseCode.BadMessage, status: 400 };

export const NO_TOKEN: Outcome = {
  closeCode: LiveCloseCode.Unauthorized,
  status: 401,
  problem: {
    code: 'UNAUTHENTICATED',
    message:
      'An ingest token of this session is needed, which is good once and for a minute. Ask for one with LiveSession.ingest.',
  },
  isMasked: false,
};
export const GOING_AWAY: Outcome = {
  closeCode: LiveCloseCode.GoingAway,
  status: 503,
  problem: {
    code: 'STOPPING',
    message: 'This server is stopping. Connect again and go on behind what was acknowledged.',
    retryAfterMs: 1_000,
  },
  isMasked: false,
};

export const OVERLOADED: Outcome = {
  closeCode: LiveCloseCode.Internal,
  status: 503,
  problem: {
    code: 'OVERLOADED',
    message: 'Too many connections send audio here. Try again in a while.',
    retryAfterMs: 2_000,
  },
  isMasked: false,
};

/** What is said of an error: the store's own problems as they are, everything else without its cause. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof UserProblemError) return problemOutcome(error as UserProblemError<MediaProblemCode>);
  if (error instanceof SautiError) {
    const { code, message } = error;
    const status = code === 'TIMEOUT' ? 408 : 503;
    return { closeCode: LiveCloseCode.Internal, status, problem: { code, message }, isMasked: false };
  }
  const closeCode = LiveCloseCode.Internal;
  if (isDatabaseUnavailable(error)) {
    const message =
      'The database cannot be reached at the moment. Connect again and go on behind what was acknowledged.';
    const problem = { code: 'DATABASE_UNAVAILABLE', message, retryAfterMs: DATABASE_BACK_MS };
    return { closeCode, status: 503, problem, isMasked: true };
  }
  const problem = { code: 'INTERNAL', message: 'Something went wrong on our side.' };
  return { closeCode, status: 500, problem, isMasked: true };
}

function problemOutcome(error: UserProblemError<MediaProblemCode>): Outcome {
  const { code, message, retryAfterMs } = error.problem;
  const problem = { code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  if (error instanceof SequenceGap)
    return { ...BAD_AUDIO, problem: { ...problem, expectedSequence: error.expectedSequence }, isMasked: false };
  if (error instanceof WriterReplaced)
    return { closeCode: LiveCloseCode.Replaced, status: 409, problem, isMasked: false };
  return { ...(ANSWERS[code] ?? BAD_AUDIO), problem, isMasked: false };
}
