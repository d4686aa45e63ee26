import { LRUCache } from 'lru-cache';

export interface CachedTranslation {
  readonly text: string;
  readonly unknownWords: string[];
}

export interface TranslationKey {
  engine: string;
  source: string;
  target: string;
  text: string;
}

/** About 10 MB of UTF-16: some 50,000 sentences. */
const MAX_CHARACTERS = 5_000_000;

/**
 * What engines answered lately, in memory, least recently used out first. The live text of a speaker arrives again and
 * again with every subscriber, so most segments are answered from here.
 */
export class TranslationCache {
  readonly #entries: LRUCache<string, CachedTranslation>;

  /** `maxCharacters` counts source and translated texts together. */
  constructor(maxCharacters: number = MAX_CHARACTERS) {
    this.#entries = new LRUCache({
      maxSize: maxCharacters,
      sizeCalculation: (value, key) => key.length + value.text.length + 1,
    });
  }

  get(key: TranslationKey): CachedTranslation | undefined {
    return this.#entries.get(textOfKey(key));
  }

  set(key: TranslationKey, translation: CachedTranslation): void {
    this.#entries.set(textOfKey(key), translation);
  }
}

/** The text comes last: ids and tags hold no line break, so two keys never meet. */
export function textOfKey({ engine, source, target, text }: TranslationKey): string {
  return `${engine}\n${source}\n${target}\n${text}`;
}
