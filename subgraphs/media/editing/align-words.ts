import type { Word } from '../transcriber/transcriber';

export interface Span {
  startMs: number;
  endMs: number;
}

/** Words of the new text that have no times yet, all in one place. */
export interface Gap extends Span {
  /** The first one's place among the new words. */
  first: number;
  count: number;
}

export interface KeptWords {
  /** For each new word the old one it is; null for words a person has put in. */
  found: (Word | null)[];
  /** For each new word the time it keeps; null in a gap. */
  times: (Span | null)[];
  gaps: Gap[];
}

/** Nobody says a word faster: beyond some ten syllables a second speech is not understood. */
const MIN_WORD_MS = 60;

/**
 * Finds the old words in the new text: the longest common subsequence, upper and lower case and punctuation alike. These
 * keep their times as far as they lie in the segment; what lies between them is a gap. A gap too short for its words
 * takes the time of the longer neighbour, which is then to be placed anew with them.
 */
export function keepTimes(old: readonly Word[], texts: readonly string[], segment: Span): KeptWords {
  const matches = matchWords(
    old.map(({ text }) => keyOf(text)),
    texts.map(keyOf),
  );
  const found = matches.map((index) => (index === null ? null : old[index]!));
  const times = inOrder(found, segment);
  for (;;) {
    const gaps = gapsOf(times, segment);
    const tight = gaps.find(
      (gap) => gap.endMs - gap.startMs < gap.count * MIN_WORD_MS && longerNeighbour(times, gap) !== null,
    );
    if (!tight) return { found, times, gaps };
    times[longerNeighbour(times, tight)!] = null;
  }
}

/** What makes two words the same; of a word of signs only, the signs. */
function keyOf(text: string): string {
  const folded = text.normalize('NFKC').toLowerCase();
  return folded.replace(/[^\p{L}\p{M}\p{N}]+/gu, '') || folded;
}

/** For each new word the index of the old one it is, by the longest common subsequence (Wagner and Fischer, 1974). */
function matchWords(old: readonly string[], texts: readonly string[]): (number | null)[] {
  const width = texts.length + 1;
  const common = new Uint16Array((old.length + 1) * width);
  for (let row = old.length - 1; row >= 0; row--) {
    for (let column = texts.length - 1; column >= 0; column--) {
      const at = row * width + column;
      const isSame = old[row] === texts[column];
      common[at] = isSame ? common[at + width + 1]! + 1 : Math.max(common[at + width]!, common[at + 1]!);
    }
  }
  const matches = texts.map((): number | null => null);
  for (let row = 0, column = 0; row < old.length && column < texts.length;) {
    const at = row * width + column;
    if (old[row] === texts[column]) matches[column++] = row++;
    else if (common[at + width]! >= common[at + 1]!) row++;
    else column++;
  }
  return matches;
}

/** Times cut to the segment, none before the end of the one before; null where nothing of one is left. */
function inOrder(times: readonly (Span | null)[], segment: Span): (Span | null)[] {
  let earliestMs = segment.startMs;
  return times.map((time) => {
    if (!time) return null;
    const startMs = Math.max(time.startMs, earliestMs);
    const endMs = Math.min(time.endMs, segment.endMs);
    if (endMs <= startMs) return null;
    earliestMs = endMs;
    return { startMs, endMs };
  });
}

function gapsOf(times: readonly (Span | null)[], segment: Span): Gap[] {
  const gaps: Gap[] = [];
  for (let first = 0; first < times.length; first++) {
    if (times[first]) continue;
    let end = first;
    while (end < times.length && !times[end]) end++;
    const startMs = times[first - 1]?.endMs ?? segment.startMs;
    gaps.push({ first, count: end - first, startMs, endMs: times[end]?.startMs ?? segment.endMs });
    first = end;
  }
  return gaps;
}

function longerNeighbour(times: readonly (Span | null)[], { first, count }: Gap): number | null {
  const [before, behind] = [first - 1, first + count];
  const lengthAt = (index: number): number => (times[index] ? times[index].endMs - times[index].startMs : -1);
  if (lengthAt(before) < 0 && lengthAt(behind) < 0) return null;
  return lengthAt(before) >= lengthAt(behind) ? before : behind;
}
