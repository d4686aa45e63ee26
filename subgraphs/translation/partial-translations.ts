import { LRUCache } from 'lru-cache';
import { unchanged, type Engines } from './engines';
import { TranslatedPrefix, type PrefixTranslation } from './translated-prefix';

/** A segment that is still being spoken. */
export interface PartialSegment {
  id: string;
  /** The words so far, joined by spaces. */
  text: string;
  language: string;
  /** How many words at the beginning stay as they are. */
  stableWords: number;
}

/** A sentence is over long before, and its final text is asked for elsewhere. */
const AGE_MS = 60_000;
/** About 10 MB: a hundred speakers in ten languages, with all they said in the last minute. */
const MAX_PREFIXES = 10_000;

/**
 * Translations of what is being said, for all who listen. Only the words that do not change any more are translated: a
 * guess that changes ten times a second would be ten engine calls for each language, and a text that jumps.
 */
export class PartialTranslations {
  readonly #prefixes: LRUCache<string, TranslatedPrefix>;

  /** `now` tells milliseconds of a clock that never goes back. */
  constructor(
    private readonly engines: Engines,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#prefixes = new LRUCache({
      max: MAX_PREFIXES,
      ttl: AGE_MS,
      updateAgeOnGet: true,
      ttlResolution: 0,
      perf: { now },
    });
  }

  /**
   * What is known of the segment's beginning in another language, at once; see {@link TranslatedPrefix} for when more of it
   * is asked for. Empty while no word is stable. Waits for the engine only when nothing is known yet, at most until the
   * signal aborts, which is this asker's only. Throws like `Engines.translate`.
   */
  async translate(segment: PartialSegment, to: string, signal: AbortSignal): Promise<PrefixTranslation> {
    const words = wordsOf(segment.text).slice(0, Math.max(0, segment.stableWords));
    if (words.length > 0) return this.#prefixOf(segment, to, words).translation(words, signal);
    return { ...unchanged('', await this.engines.languageOf(segment.language, to)), sourceWords: 0 };
  }

  #prefixOf({ id, language }: PartialSegment, to: string, words: readonly string[]): TranslatedPrefix {
    const key = `${id}\n${language}\n${to}`;
    const known = this.#prefixes.get(key);
    if (known?.isOf(words)) return known;
    // Another worker that took the session over may have heard the sentence differently: then it begins anew.
    const prefix = new TranslatedPrefix((text) => this.#callEngine(text, language, to), this.now);
    this.#prefixes.set(key, prefix);
    return prefix;
  }

  async #callEngine(text: string, source: string, target: string) {
    const [translated] = await this.engines.translate({ texts: [text], source, target });
    return translated!;
  }
}

/** The words of a segment's text. */
export function wordsOf(text: string): string[] {
  return text.split(/\s+/u).filter((word) => word !== '');
}
