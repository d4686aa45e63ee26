import { UserProblemError } from '../../../../platform/errors';
import type { MediaProblemCode } from '../../errors';

/** A chunk that does not follow the last one stored: nothing of it is kept. */
export class SequenceGap extends UserProblemError<MediaProblemCode> {
  constructor(
    readonly expectedSequence: number,
    sequence: number,
  ) {
    super({ code: 'CONFLICT', message: `Chunk ${expectedSequence} is expected next; chunk ${sequence} came.` });
    this.name = 'SequenceGap';
  }
}

/** There is another writer: nothing of this one is kept any more. */
export class WriterReplaced extends UserProblemError<MediaProblemCode> {
  constructor(message = 'Another writer has connected to this session and takes its place.') {
    super({ code: 'CONFLICT', message });
    this.name = 'WriterReplaced';
  }
}

export function unknownSession(): UserProblemError<MediaProblemCode> {
  return new UserProblemError({ code: 'NOT_FOUND', message: 'There is no such live session.' });
}

export function sessionOver(): UserProblemError<MediaProblemCode> {
  return new UserProblemError({ code: 'INVALID_STATE', message: 'The session has ended; it takes no more audio.' });
}
