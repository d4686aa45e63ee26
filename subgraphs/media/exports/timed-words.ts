import type { SegmentRow } from '../records';
import { asOneLine, cutToLines, lengthOf } from './lines';

export interface TimedWord {
  text: string;
  startMs: number;
  endMs: number;
}

/**
 * The words of a segment's text with their times, none longer than a line. Where the engine's words are not those of the
 * text, the time is divided by the length of the words.
 */
export function timedWords(segment: Pick<SegmentRow, 'text' | 'startMs' | 'endMs' | 'words'>): TimedWord[] {
  const texts = asOneLine(segment.text).split(' ').filter(Boolean);
  const heard = segment.words
    .map((word) => ({ ...word, text: asOneLine(word.text) }))
    .filter((word) => word.text !== '');
  const known = heard.length === texts.length && heard.every((word, index) => word.text === texts[index]);
  const words = known ? heard : divide(texts, segment);
  return words.flatMap((word) => divide(cutToLines(word.text), word));
}

function divide(texts: readonly string[], span: { startMs: number; endMs: number }): TimedWord[] {
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
