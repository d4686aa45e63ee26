import { normalizeWords } from '../../platform/testing/golden-speech';
import type { Heard, SpokenWord } from './listener';

/** A guess may place a word a little elsewhere than the final does. */
const SAME_PLACE_MS = 250;

export interface Latencies {
  /** From the end of each word that was right in the end to the event that showed it first, in milliseconds. */
  words: number[];
  /** From the end of the last word of each segment to the event with its final text. */
  finals: number[];
}

/** How late a listener read what was spoken; `startedAt` is when the first sample was. */
export function latenciesOf(heard: readonly Heard[], startedAt: number): Latencies {
  const words: number[] = [];
  const finals: number[] = [];
  for (const { atMs, segment } of heard) {
    if (segment.state !== 'FINAL' || segment.words.length === 0) continue;
    finals.push(atMs - startedAt - segment.words.at(-1)!.endMs);
    const told = heard.filter(({ segment: { id } }) => id === segment.id);
    for (const word of segment.words) {
      const first = told.find(({ segment: guess }) => guess.words.some((other) => isSame(word, other)))!;
      words.push(first.atMs - startedAt - word.endMs);
    }
  }
  return { words, finals };
}

/** A guess has no full stop yet. */
function isSame(word: SpokenWord, other: SpokenWord): boolean {
  const isNear = Math.abs(word.startMs - other.startMs) <= SAME_PLACE_MS;
  return isNear && normalizeWords(word.text).join(' ') === normalizeWords(other.text).join(' ');
}
