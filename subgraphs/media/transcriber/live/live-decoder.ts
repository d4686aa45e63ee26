import type { TranscriberInfo, Vocabulary, Word } from '../transcriber';

/** How a live decoder is opened. */
export interface LiveDecoderOptions {
  /** BCP 47 tag of what is spoken; without it the engine assumes its own. */
  language?: string | undefined;
  /** Refused by an engine whose info does not offer it. */
  vocabulary?: Vocabulary | undefined;
  /** What an earlier decoder's {@link LiveDecoder.state} was after the last utterance that is final. */
  state?: unknown;
  signal: AbortSignal;
}

/** What was heard of an utterance, so far or in the end. Times are milliseconds from the utterance's first sample. */
export interface HeardUtterance {
  words: Word[];
  /** BCP 47 tag. */
  language: string;
  /** How much of the utterance a guess is of, when the engine guesses behind the audio; without it, all that was fed. */
  upToMs?: number;
}

/**
 * Decodes the utterances of one live session, one after the other; who calls it finds where they begin and end. The same
 * samples from the same {@link state} give the same words, however they are cut into calls: so another worker can hear an
 * utterance again and comes to the same result.
 */
export interface LiveDecoder extends AsyncDisposable {
  /** Begins an utterance. */
  begin(): Promise<void>;
  /** More of the utterance, 16 kHz; answers the best guess of all of it so far, or null when that has not changed. */
  feed(pcm: Int16Array): Promise<HeardUtterance | null>;
  /** Ends the utterance; `silentMs` of what was fed at its end are silence. Answers what was really said; no words for noise. */
  finish(silentMs: number): Promise<HeardUtterance>;
  /** Everything that the next utterance depends on, as JSON. Only between utterances. */
  readonly state: unknown;
}

/** The port of an engine that recognizes while people speak. */
export interface LiveEngine extends AsyncDisposable {
  readonly info: TranscriberInfo;
  /**
   * A decoder for one session, at once: there is no queue, places are counted by the caller. Throws EngineUnavailableError,
   * TranscriberFailedError (also every call of the decoder may), InvalidVocabularyError or the signal's reason.
   */
  open(options: LiveDecoderOptions): Promise<LiveDecoder>;
}
