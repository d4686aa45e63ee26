import { z } from 'zod';
import { asConfidence, placed, segmentOf, timedWords, type Span, type TimedPiece } from '../timed-words';
import { TranscriberFailedError, type RecognizedSegment, type Word } from '../transcriber';
import { whisperLanguage } from '../whisper-languages';
import { nonsense } from './remote-answer';

const seconds = z.number().min(-1).max(1_000_000);
const word = z.object({ word: z.string(), start: seconds, end: seconds, probability: z.number().nullish() });
const segment = z.object({
  text: z.string(),
  start: seconds,
  end: seconds,
  avg_logprob: z.number().nullish(),
  no_speech_prob: z.number().nullish(),
  words: z.array(word).nullish(),
});
const transcription = z.object({
  text: z.string().nullish(),
  language: z.string().nullish(),
  segments: z.array(segment).nullish(),
  words: z.array(word).nullish(),
});

type AnsweredSegment = z.infer<typeof segment>;
type AnsweredWord = z.infer<typeof word>;
type Unplaced = Omit<RecognizedSegment, 'index' | 'language'>;

/** What a server heard in one piece of audio; the language is null when it does not tell. */
export interface HeardPiece {
  language: string | null;
  segments: Unplaced[];
}

/**
 * Reads an answer in `verbose_json`. OpenAI and speaches give words beside the segments, faster-whisper and whisper.cpp
 * inside them, whisper.cpp as tokens, some servers none. `limits` is where the piece lies in the media. Throws
 * TranscriberFailedError when it is no transcription, or has no words although `wordTimes` was promised.
 */
export function readOpenAiAnswer(
  json: unknown,
  { name, limits, wordTimes }: { name: string; limits: Span; wordTimes: boolean },
): HeardPiece {
  const parsed = transcription.safeParse(json);
  // whisper.cpp answers {"error": …} with status 200.
  if (!parsed.success || (parsed.data.text == null && parsed.data.segments == null))
    throw nonsense({ name }, 'JSON that is no transcription');
  const { data } = parsed;
  const segments = segmentsOf(data, limits).filter((answered) => !isSilence(answered));
  if (wordTimes && segments.length > 0 && !hasWords(data)) throw withoutWordTimes(name);
  return {
    language: whisperLanguage(data.language),
    segments: segments.flatMap((answered) => placedSegment(answered, limits) ?? []),
  };
}

/** Every segment with its words, in the order of time; a server that tells no segments gives one. */
function segmentsOf(data: z.infer<typeof transcription>, limits: Span): AnsweredSegment[] {
  const whole: AnsweredSegment = { text: data.text ?? '', start: 0, end: (limits.endMs - limits.startMs) / 1_000 };
  const segments = [...(data.segments ?? [whole])].sort((one, other) => one.start - other.start);
  const { words } = data;
  if (!words || segments.some((answered) => answered.words?.length)) return segments;
  return segments.map((answered, index) => ({ ...answered, words: wordsWithin(segments, index, words) }));
}

/** A word belongs to the last segment that has begun by its middle. */
function wordsWithin(
  segments: readonly AnsweredSegment[],
  index: number,
  words: readonly AnsweredWord[],
): AnsweredWord[] {
  const from = index === 0 ? -Infinity : segments[index]!.start;
  const until = segments[index + 1]?.start ?? Infinity;
  return words.filter(({ start, end }) => (start + end) / 2 >= from && (start + end) / 2 < until);
}

function hasWords({ words, segments }: z.infer<typeof transcription>): boolean {
  return Boolean(words?.length) || (segments ?? []).some((answered) => answered.words?.length);
}

/** Whisper's own rule for words made up in silence (openai/whisper, transcribe.py: no_speech_threshold, logprob_threshold). */
function isSilence({ text, no_speech_prob: noSpeech, avg_logprob: logProbability }: AnsweredSegment): boolean {
  return text.trim() === '' || ((noSpeech ?? 0) > 0.6 && (logProbability ?? 0) < -1);
}

function placedSegment(answered: AnsweredSegment, limits: Span): Unplaced | null {
  const pieces = (answered.words ?? []).map(pieceOf);
  const span = { startMs: answered.start * 1_000, endMs: Math.max(answered.start, answered.end) * 1_000 };
  const words: Word[] = placed(timedWords(answered.text, pieces, span), { offsetMs: limits.startMs, limits });
  const logProbability = answered.avg_logprob;
  const confidence = logProbability == null ? null : asConfidence(Math.exp(logProbability));
  return segmentOf(words, { index: 0, language: '', confidence });
}

function pieceOf({ word: text, start, end, probability }: AnsweredWord): TimedPiece {
  return { text, startMs: start * 1_000, endMs: Math.max(start, end) * 1_000, confidence: asConfidence(probability) };
}

function withoutWordTimes(name: string): TranscriberFailedError {
  const message = `${name} gives no times of words. Set OPENAI_SPEECH_WORD_TIMES=false to use it without.`;
  return new TranscriberFailedError(message, { retryable: false });
}
