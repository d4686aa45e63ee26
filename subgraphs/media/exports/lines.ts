const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** What one subtitle may fill. */
export interface Layout {
  /** In characters as a reader counts them, see {@link lengthOf}. */
  maxLineLength: number;
  maxLines: number;
}

/** Length as a reader counts it: combining marks and joined emoji are one character each. */
export function lengthOf(text: string): number {
  // ASCII needs no segmenter, which is some hundred times slower.
  return /^[\x20-\x7e]*$/.test(text) ? text.length : [...graphemes.segment(text)].length;
}

/**
 * The words on as few lines as hold them, of nearly equal length, upper ones shorter when both ways fit as well. Null when
 * the layout cannot hold them.
 */
export function layOut(words: readonly string[], { maxLineLength, maxLines }: Layout): string[] | null {
  const lengths = words.map(lengthOf);
  const lineCount = fewestLines(lengths, maxLineLength);
  if (lineCount > maxLines) return null;
  const starts = balance(lengths, lineCount, maxLineLength);
  return starts.map((start, line) => words.slice(start, starts[line + 1]).join(' '));
}

/** Whether {@link layOut} finds a way. */
export function fitsLayout(words: readonly string[], { maxLineLength, maxLines }: Layout): boolean {
  return fewestLines(words.map(lengthOf), maxLineLength) <= maxLines;
}

/** Cuts a word that no line can hold into pieces that one can; signs at its end keep a letter's company. */
export function cutToLines(word: string, maxLineLength: number): string[] {
  if (lengthOf(word) <= maxLineLength) return [word];
  const characters = [...graphemes.segment(word)].map(({ segment }) => segment);
  const starts: number[] = [];
  for (let start = 0; start < characters.length; start += maxLineLength) starts.push(start);
  const lastLetter = characters.findLastIndex((character) => /[\p{L}\p{N}]/u.test(character));
  const isSignsOnly = lastLetter > 0 && lastLetter < starts.at(-1)!;
  if (isSignsOnly && characters.length - lastLetter <= maxLineLength) starts[starts.length - 1] = lastLetter;
  return starts.map((start, line) => characters.slice(start, starts[line + 1]).join(''));
}

/** Plain text on one line: control characters, which players may take for markup or commands, become spaces. */
export function asOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}

/** Filling each line as far as it goes gives the fewest lines; Infinity when a word is longer than a line. */
function fewestLines(lengths: readonly number[], maxLineLength: number): number {
  let lines = 1;
  let filled = -1;
  for (const length of lengths) {
    if (length > maxLineLength) return Infinity;
    if (filled + 1 + length <= maxLineLength) {
      filled += 1 + length;
    } else {
      lines++;
      filled = length;
    }
  }
  return lines;
}

/**
 * The first word of each line, so that the squares of the lines' lengths have the smallest sum, which makes the lines as
 * equal as the words allow. Of equal sums the one with the earlier break.
 */
function balance(lengths: readonly number[], lineCount: number, maxLineLength: number): number[] {
  let ways = new Map([[0, { sum: 0, starts: [] as number[] }]]);
  for (let line = 1; line <= lineCount; line++) {
    const longer: typeof ways = new Map();
    for (const [start, { sum, starts }] of ways) {
      let filled = -1;
      for (let end = start; end < lengths.length && filled + 1 + lengths[end]! <= maxLineLength; end++) {
        filled += 1 + lengths[end]!;
        const known = longer.get(end + 1);
        if (known && known.sum <= sum + filled ** 2) continue;
        longer.set(end + 1, { sum: sum + filled ** 2, starts: [...starts, start] });
      }
    }
    ways = longer;
  }
  return ways.get(lengths.length)!.starts;
}
