import { Engines } from './engines';
import { TranslationCache } from './translation-cache';
import type { Translator } from './translator/translator';

interface LanguagePair {
  /** BCP 47 tags. */
  from: string;
  to: string;
}

/**
 * Translation for another slice's work: where a process is put together, it is given as the port that slice declares.
 * `translators` stay the caller's to dispose.
 */
export function createTextTranslator(translators: readonly Translator[]) {
  const engines = new Engines(translators, new TranslationCache());
  return {
    /** See {@link Engines.engineFor}. */
    engineFor: ({ from, to }: LanguagePair) => engines.engineFor(from, to),
    /** The texts in the same order, each translated on its own. Throws like {@link Engines.translate}. */
    async translate(texts: readonly string[], { from, to, signal }: LanguagePair & { signal: AbortSignal }) {
      const translated = await engines.translate({ texts, source: from, target: to, signal });
      return translated.map(({ text }) => text);
    },
  };
}
