/** BCP 47 tags. */
export interface LanguagePair {
  from: string;
  to: string;
}

/** What translates texts for the jobs of this slice. Processes are put together with one; the slice has none itself. */
export interface TextTranslator {
  /**
   * Which engine translates a pair here and now, and its version for it; null when both are the same language, so that
   * nothing has to be translated. Throws a UserProblemError with LANGUAGE_PAIR_UNSUPPORTED or ENGINE_UNAVAILABLE.
   */
  engineFor(pair: LanguagePair): Promise<TranslatingEngine | null>;
  /**
   * The texts in the same order, each translated on its own; those that are in the target language come back as they
   * are. Throws like `engineFor`, or the signal's reason as soon as that aborts.
   */
  translate(texts: readonly string[], options: LanguagePair & { signal: AbortSignal }): Promise<string[]>;
}

export interface TranslatingEngine {
  engine: string;
  engineVersion: string;
}
