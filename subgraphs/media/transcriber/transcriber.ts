import { SautiError } from '../../../platform/errors';

/** Samples per second of the audio every transcriber takes: 16 kHz, mono, signed 16 bit in the machine's byte order. */
export const PCM_SAMPLE_RATE_HZ = 16_000;

/**
 * One recognised word. Times are whole milliseconds from the start of the source media; confidence is 0 to 1, null from
 * an engine that does not tell it; `speaker` is the engine's own name of a speaker (`S1`), the same throughout a call.
 */
export interface Word {
  text: string;
  startMs: number;
  endMs: number;
  confidence: number | null;
  speaker?: string;
}

/**
 * Final text of one utterance. `index` counts from 0 in the order of the recording; `text` is its words joined by
 * single spaces; `language` is a BCP 47 tag; `confidence` is the mean of the words', or null.
 */
export interface RecognizedSegment {
  index: number;
  text: string;
  startMs: number;
  endMs: number;
  confidence: number | null;
  language: string;
  words: Word[];
  /** The engine's own name of who speaks, when it was asked to tell speakers apart. */
  speaker?: string;
  /** How sure the engine is of a language it has detected, 0 to 1. */
  languageConfidence?: number;
}

/** What may be said, for engines that can be told. */
export interface Vocabulary {
  /** Words, names and whole sentences, as people write them. */
  keyterms: readonly string[];
  /** Everything that can be said, in JSGF; then `keyterms` is empty. */
  grammar?: string;
}

export interface TranscribeOptions {
  /** BCP 47 tag of what is spoken; without it the engine detects it, or assumes its own. */
  language?: string;
  /** What may be spoken, when that has to be detected. */
  languages?: readonly string[];
  /** Refused by an engine whose info does not offer it. */
  vocabulary?: Vocabulary;
  /** Tell speakers apart, at most `max` of them; only for an engine whose info offers it. */
  speakers?: { max?: number };
  /** Where in the source media the first sample lies, in milliseconds; default 0. Added to every time. */
  startMs?: number;
  /** Stops the work; the iterator then throws the signal's reason. */
  signal: AbortSignal;
}

/** What an engine can do, whether or not it is installed here. */
export interface TranscriberInfo {
  id: string;
  task: 'RECOGNIZE';
  /** True when no audio leaves this machine. */
  local: boolean;
  /** BCP 47 tags. A primary subtag matches all its regions, see {@link servesLanguage}. */
  languages: readonly string[];
  streaming: boolean;
  wordTimes: boolean;
  confidence: boolean;
  speakers: boolean;
  grammar: boolean;
  detectsLanguage: boolean;
  punctuation: boolean;
  /** Most keyterms of one call; 0: it cannot be told any. */
  maxKeyterms: number;
  /** How audio is best given to it, see {@link PieceRule}; null: a recording in one call, however long. */
  pieces: PieceRule | null;
  /** For people: what to expect, in a sentence. */
  quality: string;
  version?: string;
}

/** A long recording is cut at silences into pieces, each recognised by a call of its own, several at once. */
export interface PieceRule {
  /** Cut at the first silence behind this. */
  idealMs: number;
  /** Cut here even if there is none. */
  maxMs: number;
  /** Most calls at once. */
  parallel: number;
}

/**
 * Whether an engine can work at this moment; the reason says what to install or configure, `retryAfterMs` when it makes
 * sense to ask again, if that is known.
 */
export type Probe = { available: true } | { available: false; reason: string; retryAfterMs?: number };

/** The port every speech engine implements. */
export interface Transcriber extends AsyncDisposable {
  readonly info: TranscriberInfo;
  /** Looks whether the engine can work here. Never throws and leaves nothing running. */
  probe(): Promise<Probe>;
  /**
   * Turns audio into segments, in order, each as soon as it is final. Reads `pcm` only as fast as it recognises and
   * ends it (`return()`) when it stops early. An utterance without words yields nothing, so silence ends with no segment.
   * Throws {@link EngineUnavailableError}, {@link UnsupportedLanguageError}, {@link TranscriberFailedError}, whatever
   * `pcm` throws, or the reason of `options.signal`.
   */
  transcribe(pcm: AsyncIterable<Int16Array>, options: TranscribeOptions): AsyncIterable<RecognizedSegment>;
}

/** A program, library or model is missing. The message tells what to install. */
export class EngineUnavailableError extends SautiError {
  /** When it makes sense to ask again, if that is known. */
  readonly retryAfterMs: number | undefined;
  constructor(reason: string, options?: { cause?: unknown; retryAfterMs?: number | undefined }) {
    super('ENGINE_UNAVAILABLE', reason, options);
    this.name = 'EngineUnavailableError';
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** Puts the words of a known text where they are said. */
export interface Aligner extends AsyncDisposable {
  /**
   * The times of `words` in `pcm` (16 kHz, at most 60 s), in order, in milliseconds from its first sample; null when the
   * words cannot be found there or the language is not known. Throws the signal's reason, or what an engine throws.
   */
  align(
    pcm: Int16Array,
    words: readonly string[],
    options: { language: string; signal: AbortSignal },
  ): Promise<{ startMs: number; endMs: number }[] | null>;
}

/** No engine understands the language that was asked for. */
export class UnsupportedLanguageError extends Error {
  readonly code = 'UNSUPPORTED';
  constructor(language: string, languages: readonly string[]) {
    super(
      `Speech in "${language}" cannot be transcribed here. Languages: ${[...new Set(languages)].join(', ') || 'none'}.`,
    );
    this.name = 'UnsupportedLanguageError';
  }
}

/** What can be wished for that not every engine can do. */
export type EngineOption = 'streaming' | 'languages' | 'keyterms' | 'grammar' | 'speakers';

/** Engines take the language, but none of them can do what `option` asks for. The message names those that could. */
export class UnsupportedOptionError extends Error {
  readonly code = 'UNSUPPORTED';
  constructor(
    readonly option: EngineOption,
    reason: string,
  ) {
    super(reason);
    this.name = 'UnsupportedOptionError';
  }
}

/**
 * The engine broke during a call, e.g. its process ended, or its answer made no sense. When `retryable`, the same call may
 * succeed later; otherwise it is this audio or these options that the engine will not take, and only another engine may.
 */
export class TranscriberFailedError extends Error {
  readonly code = 'ENGINE_FAILED';
  readonly retryable: boolean;
  /** The engine has tried the call again itself, or was told to come back later: at once nothing is to be hoped for. */
  readonly wasRetried: boolean;
  constructor(
    message: string,
    {
      cause,
      retryable = true,
      wasRetried = false,
    }: { cause?: unknown; retryable?: boolean; wasRetried?: boolean } = {},
  ) {
    super(message, { cause });
    this.name = 'TranscriberFailedError';
    this.retryable = retryable;
    this.wasRetried = wasRetried;
  }
}

/**
 * Whether an engine takes speech in this language: primary subtags decide (RFC 5646 §2.2.1), so an engine for `en-US`
 * is given `en` and `en-GB` too. Without a tag every engine may try.
 */
export function servesLanguage(info: Pick<TranscriberInfo, 'languages'>, language: string | undefined): boolean {
  return language == null || info.languages.some((offered) => primarySubtag(offered) === primarySubtag(language));
}

function primarySubtag(tag: string): string {
  return tag.split('-', 1)[0]!.toLowerCase();
}
