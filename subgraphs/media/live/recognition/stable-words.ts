import type { Word } from '../../transcriber/transcriber';

/**
 * A word that the decoder has said the same way for so much audio will stay. Of 295 words of four sessions that were taken for
 * stable, 4 differed from the decoder's last guess; after half the time 25 did.
 */
const SAME_FOR_MS = 400;
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
  /** Guesses from {@link SAME_FOR_MS} ago on, the newest last. */
  private earlier: { guess: readonly Word[]; heardMs: number }[] = [];
  private stable: Word[];

  /** `stable` are the words that were shown as stable by another worker. */
  constructor(stable: readonly Word[] = []) {
    this.stable = [...stable];
  }

  /** The guess of all of the utterance up to `heardMs`; times on the same clock. */
  take(guess: readonly Word[], heardMs: number): ShownWords {
    this.earlier.push({ guess, heardMs });
    while (this.earlier.length > 1 && this.earlier[1]!.heardMs <= heardMs - SAME_FOR_MS) this.earlier.shift();
    const words = behind(this.stable, guess);
    const stableWords = Math.max(this.stable.length, this.countStable(words, heardMs));
    this.stable = words.slice(0, stableWords);
    return { words, stableWords };
  }

  private countStable(words: readonly Word[], heardMs: number): number {
    if (this.earlier[0]!.heardMs > heardMs - SAME_FOR_MS) return 0;
    const isStable = (word: Word, at: number): boolean =>
      word.endMs <= heardMs - ENDED_MS &&
      this.earlier.every(({ guess }) => behind(this.stable, guess)[at]?.text === word.text);
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
