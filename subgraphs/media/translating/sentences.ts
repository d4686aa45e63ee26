import type { SpokenText } from './translation-records';

/** Segments that are translated as one text, because a sentence goes on from one to the next. */
export type Sentence = readonly [SpokenText, ...SpokenText[]];

/** A sentence is looked for across a pause of this length at most; PocketSphinx and most engines cut at 0.3 to 1 s. */
const MAX_PAUSE_MS = 1_500;
/** Longer runs are cut, so that one forgotten full stop does not make one sentence of a whole recording. */
const MAX_SEGMENTS = 6;
const MAX_CHARACTERS = 600;

const ENDS_A_SENTENCE = /[.!?…。！？।؟]["'”’»)\]]*$/u;
const GOES_ON = /^["'“‘«([]*\p{Ll}/u;

/**
 * Groups segments, given in order, into the sentences they are parts of. Only texts with punctuation tell where a sentence
 * goes on: without any, each segment stands for itself.
 */
export function sentencesOf(segments: readonly SpokenText[]): Sentence[] {
  const isPunctuated = segments.some(({ text }) => ENDS_A_SENTENCE.test(text));
  const sentences: [SpokenText, ...SpokenText[]][] = [];
  for (const segment of segments) {
    const open = sentences.at(-1);
    if (isPunctuated && open && goesOn(open, segment)) open.push(segment);
    else sentences.push([segment]);
  }
  return sentences;
}

/** The whole text of a sentence. */
export function textOf(sentence: Sentence): string {
  return sentence.map(({ text }) => text).join(' ');
}

/**
 * The translation of a sentence spread over its segments: words are kept whole and in order, and each segment gets about
 * the share of the text that it had in the original. A segment gets nothing only when there are fewer words than segments.
 */
export function spread(translation: string, sentence: Sentence): string[] {
  if (sentence.length === 1) return [translation];
  const words = translation.split(/\s+/).filter((word) => word !== '');
  const total = sentence.reduce((sum, { text }) => sum + text.length, 0);
  let wanted = 0;
  let from = 0;
  return sentence.map(({ text }, index) => {
    wanted += text.length / total;
    const left = sentence.length - index - 1;
    const end = index === sentence.length - 1 ? words.length : Math.round(wanted * words.length);
    const to = Math.max(Math.min(end, words.length - left), Math.min(from + 1, words.length));
    const part = words.slice(from, to).join(' ');
    from = to;
    return part;
  });
}

function goesOn(open: Sentence, next: SpokenText): boolean {
  const last = open.at(-1)!;
  const isSameVoice =
    last.language === next.language && last.channel === next.channel && last.speakerId === next.speakerId;
  if (!isSameVoice || next.startMs - last.endMs > MAX_PAUSE_MS) return false;
  if (open.length >= MAX_SEGMENTS || textOf(open).length + next.text.length > MAX_CHARACTERS) return false;
  return !ENDS_A_SENTENCE.test(last.text) && GOES_ON.test(next.text);
}
