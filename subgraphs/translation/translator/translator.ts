/** A translation engine, as the rules see it. One file per engine implements it. */
export interface Translator extends AsyncDisposable {
  readonly info: TranslatorInfo;
  /** Whether the engine can work here and now; looks again on every call, so an engine installed later is found. */
  probe(): Promise<Probe>;
  /** Every language pair of the last probe (or of the start), pivot routes included. Tags are canonical BCP 47. */
  pairs(): readonly TranslatorPair[];
  /** What it translates this pair with: another version may give other texts. One of {@link pairs}. */
  version(pair: TranslatorPair): Promise<string>;
  /**
   * Translates each text on its own and answers in the same order. Line breaks and outer white space are kept; blank
   * texts come back as they are. Throws {@link TranslatorError}. When `signal` aborts, rejects with its reason at
   * once; what the engine still says about these texts is discarded.
   */
  translate(request: TranslateRequest): Promise<TranslateResult>;
}

export interface TranslatorInfo {
  /** Stable id, stored with results, e.g. `apertium`. */
  readonly id: string;
  /** True when no text leaves this machine. */
  readonly local: boolean;
  /** Longest single text, in UTF-16 code units. */
  readonly maxCharacters: number;
}

/** The reason is one sentence for an operator and names the command that helps. */
export type Probe = { available: true } | { available: false; reason: string };

export interface TranslatorPair {
  readonly source: string;
  readonly target: string;
  /** All languages on the way, e.g. `['en', 'es']` or, by pivot, `['en', 'es', 'fr']`. */
  readonly route: string[];
}

export interface TranslateRequest {
  readonly texts: readonly string[];
  readonly source: string;
  readonly target: string;
  readonly signal?: AbortSignal | undefined;
}

export interface TranslateResult {
  readonly texts: string[];
  /** For each text, the words the engine did not know and left as they were, without repetition. */
  readonly unknownWords: string[][];
}

/**
 * What can go wrong in an engine: PAIR_UNSUPPORTED and TEXT_TOO_LONG are the caller's, BUSY means later, FAILED means
 * that the engine died or was too slow twice on this text.
 */
export class TranslatorError extends Error {
  constructor(
    readonly code: 'PAIR_UNSUPPORTED' | 'TEXT_TOO_LONG' | 'BUSY' | 'FAILED',
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'TranslatorError';
  }
}
