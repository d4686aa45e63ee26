import type { RecognizedSegment, Word } from './transcriber';

/** A word or part of a word as an engine tells it; a leading space says that a new word begins. */
export interface TimedPiece {
  text: string;
  startMs: number;
  endMs: number;
  confidence: number | null;
  speaker?: string;
}

/** Where something lies, in milliseconds. */
export interface Span {
  startMs: number;
  endMs: number;
}

/**
 * The words of a text (what stands between spaces, punctuation included) with the times of the pieces that hold their
 * letters. Engines spell their pieces without capitals and punctuation, or cut words into parts; only letters and figures
 * are compared. When they differ from the text's, the pieces are the words. Without pieces the span is shared out by the
 * number of characters: such times are estimates, and an engine that needs them must not declare `wordTimes`.
 */
export function timedWords(text: string, pieces: readonly TimedPiece[], span: Span): Word[] {
  const words = text.split(/\s+/u).filter((word) => word !== '');
  if (pieces.length === 0) return sharedOut(words, span);
  const owners = pieces.flatMap((piece) => [...lettersOf(piece.text)].map((letter) => ({ letter, piece })));
  const same = owners.map(({ letter }) => letter).join('') === lettersOf(text);
  return same ? matched(words, owners, span) : glued(pieces);
}

/**
 * Moves words to their place in the media and within its bounds, each after the one before it: engines round, and some
 * pad the audio and place words behind its end.
 */
export function placed(words: readonly Word[], { offsetMs, limits }: { offsetMs: number; limits: Span }): Word[] {
  let earliestMs = limits.startMs;
  return words.map((word) => {
    const inside = (ms: number) => Math.min(Math.max(Math.round(ms + offsetMs), earliestMs), limits.endMs);
    const startMs = inside(word.startMs);
    earliestMs = startMs;
    const endMs = inside(word.endMs);
    earliestMs = endMs;
    return { ...word, startMs, endMs };
  });
}

/** Makes a segment of words that are at their place; null without words. Without a confidence it is the mean of the words'. */
export function segmentOf(
  words: Word[],
  told: Omit<RecognizedSegment, 'text' | 'startMs' | 'endMs' | 'words' | 'confidence'> & { confidence?: number | null },
): RecognizedSegment | null {
  const [first, last] = [words[0], words.at(-1)];
  if (!first || !last) return null;
  return {
    ...told,
    text: words.map((word) => word.text).join(' '),
    startMs: first.startMs,
    endMs: last.endMs,
    confidence: told.confidence === undefined ? meanConfidence(words) : asConfidence(told.confidence),
    words,
  };
}

/** Between 0 and 1 with three digits; null stays null. */
export function asConfidence(value: number | null | undefined): number | null {
  return value == null || Number.isNaN(value) ? null : Math.round(Math.min(1, Math.max(0, value)) * 1_000) / 1_000;
}

function meanConfidence(pieces: ReadonlyArray<{ confidence: number | null }>): number | null {
  if (pieces.some(({ confidence }) => confidence === null)) return null;
  return asConfidence(pieces.reduce((sum, { confidence }) => sum + (confidence ?? 0), 0) / pieces.length);
}

function lettersOf(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]/gu, '');
}

/** A word without letters, such as a dash, lies at the end of the one before it. */
function matched(words: readonly string[], owners: ReadonlyArray<{ piece: TimedPiece }>, span: Span): Word[] {
  let from = 0;
  let lastMs = Math.min(owners[0]?.piece.startMs ?? span.startMs, span.endMs);
  return words.map((text) => {
    const length = [...lettersOf(text)].length;
    const own = owners.slice(from, from + length).map(({ piece }) => piece);
    from += length;
    const startMs = own[0]?.startMs ?? lastMs;
    lastMs = own.at(-1)?.endMs ?? lastMs;
    const speaker = own[0]?.speaker;
    const confidence = own.length === 0 ? null : meanConfidence([...new Set(own)]);
    return { text, startMs, endMs: lastMs, confidence, ...(speaker === undefined ? {} : { speaker }) };
  });
}

function glued(pieces: readonly TimedPiece[]): Word[] {
  const spaced = pieces.some(({ text }) => /^\s/u.test(text));
  const groups: TimedPiece[][] = [];
  for (const piece of pieces) {
    const group = groups.at(-1);
    if (group && spaced && !/^\s/u.test(piece.text)) group.push(piece);
    else groups.push([piece]);
  }
  return groups.flatMap((group) => {
    const text = group
      .map((piece) => piece.text)
      .join('')
      .trim()
      .replace(/\s+/gu, ' ');
    const { startMs, speaker } = group[0]!;
    const word = { text, startMs, endMs: group.at(-1)!.endMs, confidence: meanConfidence(group) };
    return text === '' ? [] : [{ ...word, ...(speaker === undefined ? {} : { speaker }) }];
  });
}

function sharedOut(words: readonly string[], { startMs, endMs }: Span): Word[] {
  const total = words.reduce((sum, word) => sum + word.length + 1, 0);
  let before = 0;
  const place = () => startMs + ((endMs - startMs) * before) / total;
  return words.map((text) => {
    const from = place();
    before += text.length + 1;
    return { text, startMs: from, endMs: place(), confidence: null };
  });
}
