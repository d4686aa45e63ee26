import { placed, segmentOf, timedWords, type Span, type TimedPiece } from '../timed-words';
import type { RecognizedSegment, Word } from '../transcriber';
import type { SherpaResult, SpeakerTurn } from './sherpa-process';

/** Without an end a token lasts until the next one, but not through a pause. */
const LONGEST_TOKEN_MS = 400;

/** The words of one utterance, at their place in the media. `utterance` and `limits` are in milliseconds of the media. */
export function wordsOf(result: SherpaResult, call: { utterance: Span; hasTimes: boolean }): Word[] {
  const { startMs, endMs } = call.utterance;
  const pieces = call.hasTimes ? piecesOf(result, endMs - startMs) : [];
  const words = timedWords(readable(result.text), pieces, { startMs: 0, endMs: endMs - startMs });
  return placed(words, { offsetMs: startMs, limits: call.utterance });
}

/** Segments of words whose speakers are known: a new one wherever the speaker changes. */
export function segmentsBySpeaker(
  words: readonly Word[],
  turns: readonly SpeakerTurn[],
  startMs: number,
  language: string,
): RecognizedSegment[] {
  const names = new Map<number, string>();
  const groups: Word[][] = [];
  for (const word of words) {
    const speaker = speakerOf(word, turns, startMs);
    const name = speaker === null ? undefined : (names.get(speaker) ?? `S${names.size + 1}`);
    if (speaker !== null && name !== undefined) names.set(speaker, name);
    const named = name === undefined ? word : { ...word, speaker: name };
    const group = groups.at(-1);
    if (group && group[0]!.speaker === name) group.push(named);
    else groups.push([named]);
  }
  return groups.flatMap((group) => {
    const { speaker } = group[0]!;
    return (
      segmentOf(group, { index: 0, language, confidence: null, ...(speaker === undefined ? {} : { speaker }) }) ?? []
    );
  });
}

function piecesOf({ tokens, timestamps, durations }: SherpaResult, lengthMs: number): TimedPiece[] {
  if (timestamps.length !== tokens.length) return [];
  return tokens.map((text, index) => {
    const startMs = timestamps[index]! * 1_000;
    const nextMs = index + 1 < tokens.length ? timestamps[index + 1]! * 1_000 : lengthMs;
    const told = durations[index];
    const endMs = told === undefined ? Math.min(nextMs, startMs + LONGEST_TOKEN_MS) : startMs + told * 1_000;
    return { text, startMs, endMs, confidence: null };
  });
}

/** Many models write capitals only, or none. */
function readable(text: string): string {
  const calm = /\p{Ll}/u.test(text) ? text : text.toLowerCase();
  return calm.charAt(0).toUpperCase() + calm.slice(1);
}

/** Who speaks for most of a word. */
function speakerOf(word: Word, turns: readonly SpeakerTurn[], startMs: number): number | null {
  let best: { speaker: number; overlapMs: number } | null = null;
  for (const { start, end, speaker } of turns) {
    const overlapMs = Math.min(word.endMs, startMs + end * 1_000) - Math.max(word.startMs, startMs + start * 1_000);
    if (overlapMs > (best?.overlapMs ?? 0)) best = { speaker, overlapMs };
  }
  return best?.speaker ?? null;
}
