import { lengthOf } from '../exports/lines';
import { timedWords } from '../exports/timed-words';
import type { FoundText } from './search-records';

const MAX_LENGTH = 300;
/** Characters shown before the first word that was found, so that it has company. */
const CONTEXT = 80;
const OPEN = '\u0001';
const CLOSE = '\u0002';

/**
 * The part of the text around the words that were found, at most 300 characters, each word between `**` and `**`. Stars of
 * the text itself are shown one at a time, so no text can pretend to have been found.
 */
export function highlightOf({ stemmed, written }: FoundText): string {
  const marked = markedOf({ stemmed, written })
    .replace(/\s+/g, ' ')
    .replace(/\*{2,}/g, '*');
  const first = marked.indexOf(OPEN);
  const from = first > CONTEXT ? marked.lastIndexOf(' ', first - CONTEXT) + 1 : 0;
  return shortened(marked.slice(from).split(' '))
    .replaceAll(OPEN, '**')
    .replaceAll(CLOSE, '**')
    .replace(/\*{3,}/g, '**');
}

/** When the first word that was found is said: its own time, not only the segment's. */
export function momentOf({ segment, stemmed, written }: FoundText): number | null {
  if (!segment) return null;
  const marked = markedOf({ stemmed, written });
  const first = marked.indexOf(OPEN);
  if (first === -1) return segment.startMs;
  const part = marked.replaceAll(OPEN, '').replaceAll(CLOSE, '');
  const start = Math.max(0, segment.text.indexOf(part));
  const before = segment.text.slice(0, start + first);
  const index = before.split(' ').length - 1;
  return timedWords(segment, Infinity)[index]?.startMs ?? segment.startMs;
}

/** English leaves words like "the" unmarked; where that leaves nothing, the words as written are marked. */
function markedOf({ stemmed, written }: Pick<FoundText, 'stemmed' | 'written'>): string {
  return stemmed.includes(OPEN) ? stemmed : written;
}

/** As many words as 300 characters hold; each mark takes two of them. */
function shortened(words: readonly string[]): string {
  let text = '';
  for (const word of words) {
    const longer = text === '' ? word : `${text} ${word}`;
    if (lengthOf(longer.replaceAll(OPEN, '**').replaceAll(CLOSE, '**')) > MAX_LENGTH) return text || cut(word);
    text = longer;
  }
  return text;
}

/** A word of more than 300 characters alone. */
function cut(word: string): string {
  return [...word.replaceAll(OPEN, '').replaceAll(CLOSE, '')].slice(0, MAX_LENGTH).join('');
}
