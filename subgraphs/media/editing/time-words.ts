import { orAborted } from '../../../platform/or-aborted';
import { divideTime } from '../exports/timed-words';
import type { Aligner, Word } from '../transcriber/transcriber';
import { keepTimes, type Gap, type Span } from './align-words';

/** What the times of new words are found with. */
export interface Listening {
  /** Null where no engine can align. */
  aligner: Aligner | null;
  /** How long all of it may take; milliseconds. */
  withinMs: number;
  /** 16 kHz PCM of a part of the recording; null where there is none. */
  audio: ((span: Span, signal: AbortSignal) => Promise<Int16Array>) | null;
  /** Called with what kept a stretch from being aligned. */
  report: (error: unknown) => void;
}

export interface CorrectedSegment extends Span {
  /** The words as they were. */
  old: readonly Word[];
  /** The words as they are now. */
  texts: readonly string[];
  language: string;
}

/** The longest stretch that an {@link Aligner} takes. */
const MAX_STRETCH_MS = 60_000;

/**
 * The new words with their times, inside the segment and one behind the other. Words that were there before keep their
 * time and confidence. Of the others each stretch is aligned to its part of the audio; where that cannot be done, or
 * not in time, its time is divided by the length of the words. Throws the signal's reason.
 */
export async function timeWords(segment: CorrectedSegment, listening: Listening, signal: AbortSignal): Promise<Word[]> {
  const { old, texts, language } = segment;
  const { found, times, gaps } = keepTimes(old, texts, segment);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(listening.withinMs)]);
  for (const gap of gaps) {
    const words = texts.slice(gap.first, gap.first + gap.count);
    const heard = await listen(gap, { words, language }, listening, limit);
    signal.throwIfAborted();
    times.splice(gap.first, gap.count, ...(heard ?? divideTime(words, gap)));
  }
  return texts.map((text, index) => {
    const { startMs, endMs } = times[index]!;
    return { confidence: null, ...found[index], text, startMs, endMs };
  });
}

async function listen(
  gap: Gap,
  { words, language }: { words: readonly string[]; language: string },
  { aligner, audio, report }: Listening,
  signal: AbortSignal,
): Promise<Span[] | null> {
  if (!aligner || !audio || signal.aborted || gap.endMs - gap.startMs > MAX_STRETCH_MS) return null;
  try {
    const pcm = await orAborted(audio(gap, signal), signal);
    const times = await orAborted(aligner.align(pcm, words, { language, signal }), signal);
    return times && placed(times, gap);
  } catch (error) {
    report(error);
    return null;
  }
}

/** The engine's times from the start of the recording; null when they are not in order inside the stretch. */
function placed(times: readonly Span[], gap: Gap): Span[] | null {
  const spans = times.map(({ startMs, endMs }) => ({
    startMs: Math.round(gap.startMs + startMs),
    endMs: Math.min(Math.round(gap.startMs + endMs), gap.endMs), // engines count in frames, and the last may reach over
  }));
  let lastMs = gap.startMs;
  const isInOrder = spans.every(({ startMs, endMs }) => {
    const isBehind = startMs >= lastMs && endMs >= startMs;
    lastMs = endMs;
    return isBehind;
  });
  return isInOrder && spans.length === gap.count ? spans : null;
}
