import { lengthOf } from '../exports/lines';
import { timedWords } from '../exports/timed-words';
import type { FoundText } from './search-records';

const MAX_LENGTH = 300;
/** Characters shown before the place, so that it has company. */
const CONTEXT = 80;
/** Words that were found, with nothing but signs between them; U+0001 and U+0002 stand around each. */
const RUN = /\u0001[^\u0001\u0002]*\u0002(?:[^\p{L}\p{N}\u0001\u0002]*\u0001[^\u0001\u0002]*\u0002)*/gu;

/**
 * The part of the text around the place that was found, at most 300 characters, each word between `**` and `**`. Stars of
 * the text itself are shown one at a time and not beside these, so no text can pretend to have been found.
 */
export function highlightOf(found: FoundText): string {
  const { marked, at } = placeOf(found);
  const before = asShown(marked.slice(0, at));
  const from = before.length > CONTEXT ? before.lastIndexOf(' ', before.length - CONTEXT) + 1 : 0;
  return shortened(asShown(before.slice(from) + marked.slice(at)).split(' '));
}

/** When the first word of the place is said: its own time, not only the segment's. Null for a hit in no segment. */
export function momentOf(found: FoundText): number | null {
  if (!found.segment) return null;
  const { marked, at } = placeOf(found);
  const wordsBefore = marked.slice(0, at).trimStart().split(/\s+/).length - 1;
  return timedWords(found.segment, Infinity)[wordsBefore]?.startMs ?? found.segment.startMs;
}

/**
 * The marked text and where in it most words that were looked for stand together, which is where a phrase is; the first
 * such place. English stems do not mark words like "the", so the words as written may show a longer run.
 */
function placeOf({ stemmed, written }: FoundText): { marked: string; at: number } {
  const runs = [stemmed, written].flatMap((marked) =>
    [...marked.matchAll(RUN)].map(({ 0: run, index }) => ({ marked, at: index, count: run.split('\u0001').length })),
  );
  const most = Math.max(...runs.map(({ count }) => count));
  return runs.find(({ count }) => count === most) ?? { marked: written, at: 0 };
}

function asShown(marked: string): string {
  const calm = marked.replace(/\s+/g, ' ').replace(/\*{2,}/g, '*');
  return calm.replace(/\*?([\u0001\u0002])\*?/g, '$1');
}

/** As many words as 300 characters hold. */
function shortened(words: readonly string[]): string {
  let text = '';
  for (const word of words) {
    const longer = `${text} ${word}`.trimStart().replace(/[\u0001\u0002]/g, '**');
    if (lengthOf(longer) > MAX_LENGTH) return text || [...longer].slice(0, MAX_LENGTH).join('').replaceAll('**', '');
    text = longer;
  }
  return text;
}
