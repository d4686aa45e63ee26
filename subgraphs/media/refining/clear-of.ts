import type { PlacedSegment } from '../transcription/transcript-growth';
import type { Word } from '../transcriber/transcriber';
import { coveredMs, lengthMs, Timeline, type Stretch } from './overlap';

/**
 * What was heard, without what lies in the place of the edited segments: words go by their middle, and what is left before,
 * between and behind is a segment each. So nothing is told twice where the borders differ, and nothing is lost. A segment
 * whose words have no times is left as a whole, or dropped when the edited ones cover at least half of it.
 */
export function clearOf(
  edited: readonly Stretch[],
  heard: readonly PlacedSegment[],
): { left: PlacedSegment[]; dropped: PlacedSegment[] } {
  const corrections = new Timeline(edited);
  const left: PlacedSegment[] = [];
  const dropped: PlacedSegment[] = [];
  for (const segment of heard) {
    const inTheWay = corrections.overlapping(segment);
    if (inTheWay.length === 0) left.push(segment);
    else if (segment.words.length > 0) left.push(...partsOutside(inTheWay, segment));
    else (coveredMs(segment, inTheWay) * 2 >= lengthMs(segment) ? dropped : left).push(segment);
  }
  return { left, dropped };
}

function partsOutside(edited: readonly Stretch[], segment: PlacedSegment): PlacedSegment[] {
  const parts: Word[][] = [];
  let place: number | null = null;
  for (const word of segment.words) {
    const middleMs = (word.startMs + word.endMs) / 2;
    if (edited.some(({ startMs, endMs }) => startMs <= middleMs && middleMs < endMs)) continue;
    // Words with the same edited segments before them belong together.
    const before = edited.filter(({ startMs }) => startMs <= middleMs).length;
    if (before === place) parts.at(-1)!.push(word);
    else parts.push([word]);
    place = before;
  }
  if (parts[0]?.length === segment.words.length) return [segment];
  return parts.map((words) => ({
    ...segment,
    words,
    text: words.map(({ text }) => text).join(' '),
    startMs: words[0]!.startMs,
    endMs: words.at(-1)!.endMs,
  }));
}
