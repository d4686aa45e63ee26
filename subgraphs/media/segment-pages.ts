import { readConnection, type Connection, type PageRequest } from '../../platform/connection';
import { SautiError } from '../../platform/errors';
import type { MediaRecords, SegmentRow } from './records';

export interface SegmentPageRequest extends PageRequest {
  fromMs?: number | null | undefined;
  toMs?: number | null | undefined;
}

/** A page of a transcript's segments in the order of the recording. Throws BAD_USER_INPUT for a page out of bounds. */
export function readSegments(
  records: MediaRecords,
  transcriptId: string,
  { fromMs, toMs, ...page }: SegmentPageRequest,
): Promise<Connection<SegmentRow>> {
  return readConnection(
    page,
    (segment) => String(segment.position),
    (take, key) => records.segments(transcriptId, { take, after: key === null ? null : asPosition(key), fromMs, toMs }),
  );
}

/** A cursor of another list may have come through the decoding; no position has ten digits. */
function asPosition(key: string): number {
  if (/^\d{1,9}$/.test(key)) return Number(key);
  throw new SautiError('BAD_USER_INPUT', '"after" is not a cursor of this list.');
}
