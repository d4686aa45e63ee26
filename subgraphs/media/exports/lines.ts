export const LINE_LENGTH = 42;
export const LINES = 2;

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** Length as a reader counts it: combining marks and joined emoji are one character each. */
export function lengthOf(text: string): number {
  // ASCII needs no segmenter, which is some hundred times slower.
  return /^[\x20-\x7e]*$/.test(text) ? text.length : [...graphemes.segment(text)].length;
}

/**
 * The text on one line, or on two of nearly equal length, the upper one shorter when both ways fit as well. Null when
 * two lines of 42 characters cannot hold it.
 */
export function layOut(text: string): string[] | null {
  if (lengthOf(text) <= LINE_LENGTH) return [text];
  let best: { lines: [string, string]; difference: number } | null = null;
  for (let space = text.indexOf(' '); space !== -1; space = text.indexOf(' ', space + 1)) {
    const lines: [string, string] = [text.slice(0, space), text.slice(space + 1)];
    const [upper, lower] = [lengthOf(lines[0]), lengthOf(lines[1])];
    if (upper > LINE_LENGTH || lower > LINE_LENGTH) continue;
    const difference = Math.abs(upper - lower);
    if (!best || difference < best.difference) best = { lines, difference };
  }
  return best?.lines ?? null;
}

/** Cuts a word that no line can hold into pieces that one can. */
export function cutToLines(word: string): string[] {
  if (lengthOf(word) <= LINE_LENGTH) return [word];
  const characters = [...graphemes.segment(word)].map(({ segment }) => segment);
  const pieces: string[] = [];
  for (let start = 0; start < characters.length; start += LINE_LENGTH) {
    pieces.push(characters.slice(start, start + LINE_LENGTH).join(''));
  }
  return pieces;
}

/** Plain text on one line: control characters, which players may take for markup or commands, become spaces. */
export function asOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}
