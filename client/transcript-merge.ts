/** What of a segment decides its place in a transcript; select these beside what is to be shown. */
export interface MergeableSegment {
  id: string;
  /** Goes up with every change of the segment. */
  revision: number;
  startMs: number;
  text: string;
}

/**
 * The transcript that segments make, as events of `liveTranscript` and `transcriptEvents` bring them: the highest revision of
 * each, in the order of the recording. Events may be missing, come twice and in any order, as long as the last one of each
 * segment is there. A segment without text turned out to be no speech; those `removed` (`removedSegmentIds`) are no part of
 * the transcript either.
 */
export function mergeTranscript<Segment extends MergeableSegment>(
  segments: Iterable<Segment>,
  removed: Iterable<string> = [],
): Segment[] {
  const newest = new Map<string, Segment>();
  for (const segment of segments) {
    const known = newest.get(segment.id);
    if (!known || segment.revision > known.revision) newest.set(segment.id, segment);
  }
  for (const id of removed) newest.delete(id);
  return [...newest.values()].filter(({ text }) => text !== '').sort(inOrder);
}

/** Segments that begin together are those of several channels: ids sort by the time of their making. */
function inOrder(a: MergeableSegment, b: MergeableSegment): number {
  return a.startMs - b.startMs || (a.id < b.id ? -1 : 1);
}
