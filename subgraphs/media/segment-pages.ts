import { readConnection, type Connection, type PageRequest } from '../../platform/connection';
import { SautiError } from '../../platform/errors';
import type { MediaRecords, SegmentRow } from './records';

export interface SegmentPageRequest extends PageRequest {
  fromMs?: number | null | undefined;
  toMs?: number | null | undefined;
  below?: number | null | undefined;
}

/** A page of a transcript's segments in the order of the recording. Throws BAD_USER_INPUT for a page or limit out of bounds. */
export function readSegments(
  records: MediaRecords,
  transcriptId: string,
  { fromMs, toMs, below, ...page }: SegmentPageRequest,
): Promise<Connection<SegmentRow>> {
  if (below != null && !(below >= 0 && below <= 1)) {
    throw new SautiError('BAD_USER_INPUT', `"below" must be between 0 and 1; it was ${below}.`);
  }
  return readConnection(
    page,
    (segment) => String(segment.position),
    (take, key) => {
      const after = key === null ? null : asPosition(key);
      return records.segments(transcriptId, { take, after, fromMs, toMs, below });
    },
  );
}

/** A cursor of another list may have come through the decoding; no position has ten digits. */
function asPosition(key: string): number {
  if (/^\d{1,9}$/.test(key)) return Number(key);
  throw new SautiError('BAD_USER_INPUT', '"after" is not a cursor of this list.');
}
