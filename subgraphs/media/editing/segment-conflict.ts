import type { UserProblem } from '../../../platform/errors';
import type { MediaProblemCode } from '../errors';
import type { SegmentRow } from '../records';

/** Somebody was faster; `segment` is what the segment is now. */
export class SegmentConflict extends Error {
  readonly problem: UserProblem<MediaProblemCode>;
  constructor(
    readonly segment: SegmentRow,
    expectedRevision: number,
  ) {
    const message = `The segment has revision ${segment.revision}; you expected ${expectedRevision}. Read it again.`;
    super(message);
    this.problem = { code: 'CONFLICT', message, path: ['input', 'expectedRevision'] };
    this.name = 'SegmentConflict';
  }
}
