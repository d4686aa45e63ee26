import type { SegmentRow } from '../records';
import { asOneLine, cutToLines, lengthOf } from './lines';

export interface TimedWord {
  text: string;
  startMs: number;
  endMs: number;
  /** Set for a piece of a word that no line could hold. */
  isCut?: true;
}

/**
 * The words of a segment's text with their times, none longer than a line. Where the engine's words are not those of the
 * text, the time is divided by the length of the words.
 */
export function timedWords(
  segment: Pick<SegmentRow, 'text' | 'startMs' | 'endMs' | 'words'>,
  maxLineLength: number,
): TimedWord[] {
  const texts = wordsOf(segment.text);
  const heard = segment.words
    .map(({ text, startMs, endMs }) => ({ text: asOneLine(text), startMs, endMs }))
    .filter((word) => word.text !== '');
  const known = heard.length === texts.length && heard.every((word, index) => word.text === texts[index]);
  return cutLongOnes(known ? heard : divideTime(texts, segment), maxLineLength);
}

/** The words of a text that was not heard, e.g. a translation, spread over a span of time by their length. */
export function spreadWords(
  text: string,
  span: { startMs: number; endMs: number },
  maxLineLength: number,
): TimedWord[] {
  return cutLongOnes(divideTime(wordsOf(text), span), maxLineLength);
}

function wordsOf(text: string): string[] {
  return asOneLine(text).split(' ').filter(Boolean);
}

function cutLongOnes(words: readonly TimedWord[], maxLineLength: number): TimedWord[] {
  return words.flatMap((word): TimedWord[] => {
    const pieces = cutToLines(word.text, maxLineLength);
    return pieces.length === 1 ? [word] : divideTime(pieces, word).map((piece) => ({ ...piece, isCut: true }));
  });
}

/** Divides a span of time among texts by their length. */
export function divideTime(texts: readonly string[], span: { startMs: number; endMs: number }): TimedWord[] {
  const total = texts.reduce((sum, text) => sum + lengthOf(text), 0);
  const at = (characters: number): number =>
    Math.round(span.startMs + ((span.endMs - span.startMs) * characters) / total);
  let passed = 0;
  return texts.map((text) => {
    const startMs = at(passed);
    passed += lengthOf(text);
    return { text, startMs, endMs: at(passed) };
  });
}
