import { isDeepStrictEqual } from 'node:util';
import type { SegmentRow } from '../records';
import type { PlacedSegment } from '../transcription/transcript-growth';
import { clearOf } from './clear-of';
import { coveredMs, lengthMs, overlapMs, Timeline } from './overlap';

/** A transcript after it was heard again. */
export interface Merged {
  /** All of it in the order of time, at its new positions. */
  segments: SegmentRow[];
  /** Those of it that are new or have another content than before. */
  changed: SegmentRow[];
  /** Ids of what is no part of it any more. */
  removedIds: string[];
}

/**
 * Merges what was heard again into a transcript. A known segment and a heard one are partners when they overlap by at least
 * half of both, each has one at most, and the longest overlap is served first: the known one then says what was heard, keeps
 * its id, and gets its next revision if it differs. What a person has corrected stays as it is, and what was heard in its
 * place is dropped, see {@link clearOf}. What else was heard is new, and known segments without a partner are removed – but
 * not those in the place of something that was dropped, for nothing else tells them.
 */
export function mergeByTime(
  known: readonly SegmentRow[],
  heard: readonly PlacedSegment[],
  fresh: Pick<SegmentRow, 'transcriptId' | 'speakerId'> & { newId: () => string },
): Merged {
  const edited = known.filter(({ state }) => state === 'EDITED');
  const replaceable = known.filter(({ state }) => state !== 'EDITED');
  const { left, dropped } = clearOf(edited, heard);
  const partners = partnersOf(replaceable, left);
  const partnered = new Set(partners.values());
  const news = left.filter((segment) => !partnered.has(segment));
  const untold = new Timeline(dropped);
  const stays = (segment: SegmentRow): boolean =>
    coveredMs(segment, untold.overlapping(segment)) * 2 >= lengthMs(segment);
  const all = [
    ...edited,
    ...replaceable.flatMap((segment) => {
      const partner = partners.get(segment);
      return partner ? [saying(segment, partner)] : stays(segment) ? [segment] : [];
    }),
    ...news.map((segment) => newRow(segment, fresh)),
  ];
  const segments = all.sort(byTime).map((segment, position) => ({ ...segment, position }));
  const before = new Map(known.map((segment) => [segment.id, segment]));
  const ids = new Set(segments.map(({ id }) => id));
  return {
    segments,
    changed: segments.filter(({ id, revision }) => before.get(id)?.revision !== revision),
    removedIds: known.map(({ id }) => id).filter((id) => !ids.has(id)),
  };
}

function partnersOf(
  known: readonly SegmentRow[],
  heard: readonly PlacedSegment[],
): ReadonlyMap<SegmentRow, PlacedSegment> {
  const timeline = new Timeline(heard);
  const pairs = known.flatMap((segment) =>
    timeline
      .overlapping(segment)
      .map((other) => ({ segment, other, sharedMs: overlapMs(segment, other) }))
      .filter(({ other, sharedMs }) => sharedMs * 2 >= Math.max(lengthMs(segment), lengthMs(other))),
  );
  pairs.sort((one, other) => other.sharedMs - one.sharedMs || one.other.startMs - other.other.startMs);
  const partners = new Map<SegmentRow, PlacedSegment>();
  const taken = new Set<PlacedSegment>();
  for (const { segment, other } of pairs) {
    if (partners.has(segment) || taken.has(other)) continue;
    partners.set(segment, other);
    taken.add(other);
  }
  return partners;
}

/** Who speaks and whether a pause follows is known from the time when it was spoken. */
function saying(before: SegmentRow, heard: PlacedSegment): SegmentRow {
  const content = contentOf(heard);
  const { text, startMs, endMs, confidence, language, words } = before;
  if (isDeepStrictEqual({ text, startMs, endMs, confidence, language, words }, content)) return before;
  const { length: stableWords } = content.words;
  return { ...before, ...content, stableWords, state: 'FINAL', revision: before.revision + 1 };
}

function newRow(
  heard: PlacedSegment,
  { newId, transcriptId, speakerId }: Parameters<typeof mergeByTime>[2],
): SegmentRow {
  const content = contentOf(heard);
  const { length: stableWords } = content.words;
  const { channel = 0 } = heard;
  const row = { id: newId(), transcriptId, speakerId, channel, stableWords, position: 0, turnEnd: null } as const;
  return { ...row, ...content, state: 'FINAL', revision: 1 };
}

function contentOf({ text, startMs, endMs, confidence, language, words }: PlacedSegment) {
  return { text, startMs, endMs, confidence, language, words };
}

function byTime(one: SegmentRow, other: SegmentRow): number {
  return one.startMs - other.startMs || one.channel - other.channel || one.endMs - other.endMs;
}
