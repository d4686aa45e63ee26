import { isDeepStrictEqual } from 'node:util';
import type { RecognizedSegment, Word } from '../../transcriber/transcriber';
import type { RecognitionWishes } from '../recognition-plan';
import { mayBeginEMail } from './e-mail';
import { maskedWord } from './profanity';
import { privateSpans, type PrivateSpan } from './redact';
import { punctuationBehind } from './tokens';
import { endsInNumber } from './numbers';

type Rules = Pick<RecognitionWishes, 'maskProfanity' | 'redact'>;

/** Digits told with pauses come in several segments; behind a longer pause another matter begins. */
const LONGEST_PAUSE_MS = 3_000;

/**
 * Segments of one speaker, in order, without what shall not be kept. What a kind of private data covers becomes one word
 * with the times of all it stands for; when it goes on over several segments, one in each. Text and words tell the same.
 */
export function cleanSegments(segments: readonly RecognizedSegment[], rules: Rules): RecognizedSegment[] {
  if (!rules.maskProfanity && rules.redact.length === 0) return [...segments];
  return together(segments).flatMap((group) => cleanGroup(group, rules));
}

/** Whether the words that follow may belong to the same number or address: then segments have to be looked at together. */
export function maybeGoesOn(segment: RecognizedSegment, { redact }: Rules): boolean {
  const words = textsOf(segment);
  if (redact.includes('EMAIL') && mayBeginEMail(words)) return true;
  return redact.some((kind) => kind !== 'EMAIL') && endsInNumber(words, segment.language);
}

function together(segments: readonly RecognizedSegment[]): RecognizedSegment[][] {
  const groups: RecognizedSegment[][] = [];
  for (const segment of segments) {
    const last = groups.at(-1)?.at(-1);
    if (last && last.language === segment.language && segment.startMs - last.endMs <= LONGEST_PAUSE_MS) {
      groups.at(-1)!.push(segment);
    } else {
      groups.push([segment]);
    }
  }
  return groups;
}

function cleanGroup(group: RecognizedSegment[], rules: Rules): RecognizedSegment[] {
  // A full stop that an engine puts behind every utterance does not end a number that is told with pauses.
  const texts = group.map((segment) => textsOf(segment));
  const all = texts.flatMap((words, at) =>
    at < texts.length - 1
      ? [...words.slice(0, -1), ...words.slice(-1).map((word) => word.replace(/[.]+$/, ''))]
      : words,
  );
  const spans = privateSpans(all, { kinds: rules.redact, language: group[0]!.language });
  let first = 0;
  return group.map((segment, at) => {
    const from = first;
    first += texts[at]!.length;
    return cleanSegment(segment, texts[at]!, partsOf(spans, from, first), rules);
  });
}

/** What of the spans lies in words `from` to `to`, counted from `from`. */
function partsOf(spans: readonly PrivateSpan[], from: number, to: number): PrivateSpan[] {
  return spans
    .filter((span) => span.from < to && from < span.to)
    .map((span) => ({ ...span, from: Math.max(span.from - from, 0), to: Math.min(span.to, to) - from }));
}

function cleanSegment(
  segment: RecognizedSegment,
  texts: readonly string[],
  spans: readonly PrivateSpan[],
  rules: Rules,
): RecognizedSegment {
  const mask = (text: string): string => (rules.maskProfanity ? maskedWord(text, segment.language) : text);
  const hasWords = texts.length === segment.words.length;
  const words: Word[] = [];
  const cleaned: string[] = [];
  for (let at = 0; at < texts.length;) {
    const span = spans.find(({ from }) => from === at);
    const to = span?.to ?? at + 1;
    const text = span ? `[${span.kind}]${punctuationBehind(texts[to - 1]!)}` : mask(texts[at]!);
    cleaned.push(text);
    if (hasWords) words.push(joined(segment.words.slice(at, to), text));
    at = to;
  }
  return isDeepStrictEqual(cleaned, texts) ? segment : { ...segment, text: cleaned.join(' '), words };
}

function joined(words: readonly Word[], text: string): Word {
  const rated = words.flatMap(({ confidence }) => confidence ?? []);
  const confidence = rated.length === 0 ? null : rated.reduce((sum, value) => sum + value, 0) / rated.length;
  return { ...words[0]!, text, endMs: words.at(-1)!.endMs, confidence };
}

/** The words of a segment; of its text when the engine gives no words. */
function textsOf({ words, text }: RecognizedSegment): string[] {
  return words.length > 0 ? words.map((word) => word.text) : text.split(/\s+/).filter((word) => word !== '');
}
