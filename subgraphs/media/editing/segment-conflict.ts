import { UserProblemError } from '../../../platform/errors';
import type { MediaProblemCode } from '../errors';
import type { SegmentRow } from '../records';

/** Somebody was faster; `segment` is what the segment is now. */
export class SegmentConflict extends UserProblemError<MediaProblemCode> {
  constructor(
    readonly segment: SegmentRow,
    expectedRevision: number,
  ) {
    super({
      code: 'CONFLICT',
      message: `The segment has revision ${segment.revision}; you expected ${expectedRevision}. Read it again.`,
      path: ['input', 'expectedRevision'],
    });
    this.name = 'SegmentConflict';
  }
}
