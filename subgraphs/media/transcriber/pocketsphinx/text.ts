import type { RecognizedSegment, Word } from '../transcriber';

/** One entry of PocketSphinx's result: its spelling, times in milliseconds of the media, posterior probability. */
export interface Token {
  text: string;
  startMs: number;
  endMs: number;
  confidence: number | null;
}

export interface SegmentPlace {
  index: number;
  language: string;
  /** How words of the dictionary are to be written; others as they are. */
  spellings?: ReadonlyMap<string, string>;
}

/** The words of a whole utterance as a segment; null when there is none. */
export function toSegment(tokens: readonly Token[], { spellings, ...place }: SegmentPlace): RecognizedSegment | null {
  const words = toWords(tokens, { isOver: true, ...(spellings && { spellings }) });
  const first = words[0];
  const last = words.at(-1);
  if (!first || !last) return null;
  return {
    ...place,
    text: words.map((word) => word.text).join(' '),
    startMs: first.startMs,
    endMs: last.endMs,
    confidence: roundConfidence(words.reduce((sum, word) => sum + (word.confidence ?? 0), 0) / words.length),
    words,
  };
}

/**
 * Makes a readable sentence of what PocketSphinx heard in one utterance (lower case, no punctuation, fillers, `word(2)` for
 * a second pronunciation): first letter large, "i" as "I", and a final period if it `isOver`.
 */
export function toWords(
  tokens: readonly Token[],
  { spellings = new Map(), isOver }: { spellings?: ReadonlyMap<string, string>; isOver: boolean },
): Word[] {
  const words = tokens.filter(isWord).map((token) => toWord(token, spellings));
  const [first] = words;
  const last = words.at(-1);
  if (first) first.text = first.text.charAt(0).toUpperCase() + first.text.slice(1);
  if (last && isOver) last.text = last.text.replace(/\.?$/, '.');
  return words;
}

/**
 * Sentence marks and silences are `<s> </s> <sil>`, noises `[NOISE] [COUGH]` and, in older models, `++UM++`; a step of a
 * grammar without a word is `(NULL)`.
 */
export function isWord({ text }: { text: string }): boolean {
  return text !== '' && !/^(<|\[|\+\+|\()/.test(text);
}

function toWord({ text, startMs, endMs, confidence }: Token, spellings: ReadonlyMap<string, string>): Word {
  const entry = text.replace(/\(\d+\)$/, '');
  const spelling = spellings.get(entry) ?? entry.replace(/^i(?=$|')/, 'I');
  return { text: spelling, startMs, endMs, confidence: roundConfidence(confidence) };
}

/** The posterior comes from sums of rounded logarithms and can be 1.0002. */
function roundConfidence(value: number): number;
function roundConfidence(value: number | null): number | null;
function roundConfidence(value: number | null): number | null {
  if (value === null) return null;
  return Math.round(Math.min(1, Math.max(0, value)) * 1_000) / 1_000;
}
