import { z } from 'zod';
import { asConfidence, placed, segmentOf, timedWords, type Span, type TimedPiece } from '../timed-words';
import type { RecognizedSegment } from '../transcriber';
import { nonsense } from './remote-answer';

/** A moment or a duration. */
export const seconds = z.number().min(0).max(1_000_000);
/** A word as each of the service's answers tells it. */
export const word = z.object({
  word: z.string(),
  punctuated_word: z.string().nullish(),
  start: seconds,
  end: seconds,
  confidence: z.number().nullish(),
  speaker: z.int().min(0).nullish(),
});
const utterance = z.object({
  start: seconds,
  end: seconds,
  transcript: z.string(),
  confidence: z.number().nullish(),
  words: z.array(word),
});
const channel = z.object({ detected_language: z.string().nullish(), language_confidence: z.number().nullish() });
const answer = z.object({ results: z.object({ channels: z.array(channel).min(1), utterances: z.array(utterance) }) });

type Utterance = z.infer<typeof utterance>;
export type AnsweredWord = z.infer<typeof word>;

/**
 * Reads the answer to `POST /v1/listen` with `utterances=true`. Speakers are `S1`, `S2`… in the order of the service's numbers;
 * with a `maxSpeakers`, those who say least beyond it are nobody, since the service takes no limit. Throws
 * TranscriberFailedError when it is no such answer.
 */
export function readDeepgramAnswer(
  json: unknown,
  call: { name: string; limits: Span; language: string | undefined; speakers?: { max?: number } | undefined },
): RecognizedSegment[] {
  const parsed = answer.safeParse(json);
  if (!parsed.success) throw nonsense(call, 'JSON that is no transcript');
  const { channels, utterances } = parsed.data.results;
  const { detected_language: detected, language_confidence: sure } = channels[0]!;
  const told = {
    language: call.language ?? detected ?? 'und',
    ...(call.language === undefined && sure != null ? { languageConfidence: asConfidence(sure)! } : {}),
  };
  const known = call.speakers ? mostTalkative(utterances, call.speakers.max) : new Set<number>();
  const inOrder = [...utterances].sort((one, other) => one.start - other.start);
  return inOrder
    .flatMap((said) => segmentFrom(said, { ...call, told, known }) ?? [])
    .map((segment, index) => ({ ...segment, index }));
}

function segmentFrom(
  said: Utterance,
  {
    limits,
    told,
    known,
  }: { limits: Span; told: { language: string; languageConfidence?: number }; known: Set<number> },
): RecognizedSegment | null {
  const pieces = said.words.map((answered) => pieceOf(answered, known));
  const span = { startMs: said.start * 1_000, endMs: said.end * 1_000 };
  const text = said.words.map((answered) => answered.punctuated_word ?? answered.word).join(' ');
  const words = placed(timedWords(text, pieces, span), { offsetMs: limits.startMs, limits });
  const speaker = words[0]?.speaker;
  const confidence = said.confidence == null ? {} : { confidence: asConfidence(said.confidence) };
  return segmentOf(words, { index: 0, ...told, ...confidence, ...(speaker === undefined ? {} : { speaker }) });
}

/** The word at its time, in milliseconds of the audio that was sent. Only speakers that are `known` are named. */
export function pieceOf(
  { word: text, punctuated_word: punctuated, start, end, confidence, speaker }: AnsweredWord,
  known: ReadonlySet<number>,
): TimedPiece {
  return {
    text: punctuated ?? text,
    startMs: start * 1_000,
    endMs: Math.max(start, end) * 1_000,
    confidence: asConfidence(confidence),
    ...(speaker != null && known.has(speaker) ? { speaker: `S${speaker + 1}` } : {}),
  };
}

function mostTalkative(utterances: readonly Utterance[], max = Infinity): Set<number> {
  const spoken = new Map<number, number>();
  for (const { speaker, start, end } of utterances.flatMap(({ words }) => words))
    if (speaker != null) spoken.set(speaker, (spoken.get(speaker) ?? 0) + end - start);
  const ranked = [...spoken].sort(([, one], [, other]) => other - one);
  return new Set(ranked.slice(0, max).map(([speaker]) => speaker));
}
