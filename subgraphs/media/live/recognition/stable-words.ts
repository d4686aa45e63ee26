import type { Word } from '../../transcriber/transcriber';

/** A word that the decoder has said the same way for so many guesses, 100 ms of audio each, will stay. */
const SAME_GUESSES = 3;
/** The newest word may still be growing: only words that ended so long ago are taken for stable. */
const ENDED_MS = 300;

/** What is shown of an utterance under way; its first `stableWords` words will not change while it is PARTIAL. */
export interface ShownWords {
  words: Word[];
  stableWords: number;
}

/**
 * Makes of a decoder's guesses, which may change their mind about every word, a text whose beginning stands still: words
 * that were called stable keep their text and place, and the guess goes on behind them.
 */
export class StableWords {
  private earlier: (readonly Word[])[] = [];
  private stable: Word[];

  /** `stable` are the words that were shown as stable by another worker. */
  constructor(stable: readonly Word[] = []) {
    this.stable = [...stable];
  }

  /** The guess of all of the utterance up to `heardMs`; times on the same clock. */
  take(guess: readonly Word[], heardMs: number): ShownWords {
    this.earlier = [...this.earlier.slice(1 - SAME_GUESSES), guess];
    const words = behind(this.stable, guess);
    const stableWords = Math.max(this.stable.length, this.countStable(words, heardMs));
    this.stable = words.slice(0, stableWords);
    return { words, stableWords };
  }

  private countStable(words: readonly Word[], heardMs: number): number {
    if (this.earlier.length < SAME_GUESSES) return 0;
    const isStable = (word: Word, at: number): boolean =>
      word.endMs <= heardMs - ENDED_MS &&
      this.earlier.every((guess) => behind(this.stable, guess)[at]?.text === word.text);
    const first = words.findIndex((word, at) => at >= this.stable.length && !isStable(word, at));
    return first < 0 ? words.length : first;
  }
}

/** The stable words, and what of the guess comes behind them: by their number when it still says the same, else by time. */
function behind(stable: readonly Word[], guess: readonly Word[]): Word[] {
  const last = stable.at(-1);
  if (!last) return [...guess];
  const saysTheSame = stable.every(({ text }, at) => guess[at]?.text === text);
  const rest = saysTheSame
    ? guess.slice(stable.length)
    : guess.filter(({ startMs, endMs }) => (startMs + endMs) / 2 > last.endMs);
  return [...stable, ...rest];
}
