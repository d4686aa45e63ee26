import type { HeardUtterance } from '../live/live-decoder';
import { placed, timedWords } from '../timed-words';
import { PCM_SAMPLE_RATE_HZ } from '../transcriber';
import { pieceOf } from './deepgram-answer';
import type { LiveResult, LiveWord } from './deepgram-result';
import { nonsense } from './remote-answer';

const SAMPLES_PER_MS = PCM_SAMPLE_RATE_HZ / 1_000;
/** The service rounds its times; a result that ends here still belongs to what was said before. */
const ROUNDING_MS = 10;
/** An utterance lasts a few minutes at most. */
const MAX_WORDS = 10_000;
const NOBODY: ReadonlySet<number> = new Set();

/** Gathers what the service says of one utterance, which is a stretch of its stream. */
export class DeepgramUtterance {
  #final: LiveWord[] = [];
  /** What may be said anew. */
  #interim: LiveWord[] = [];
  #languages: readonly string[] = [];
  #finalMs: number;
  #guessedMs: number;
  #isFinalized = false;
  #samples = 0;

  constructor(
    private readonly call: {
      name: string;
      /** Where it begins in the stream. */
      beginMs: number;
      /** BCP 47 tag, when that was told. */
      language: string | undefined;
    },
  ) {
    this.#finalMs = this.#guessedMs = call.beginMs;
  }

  /** More audio of it was sent. */
  lengthen(samples: number): void {
    this.#samples += samples;
  }

  get lengthMs(): number {
    return this.#samples / SAMPLES_PER_MS;
  }

  /** How much of its end nothing final was said of, as far as the service's times tell. */
  get unsureMs(): number {
    return this.call.beginMs + this.lengthMs - this.#finalMs - ROUNDING_MS;
  }

  /** Whether all of it was answered after a `Finalize`. */
  get isFinalized(): boolean {
    return this.#isFinalized;
  }

  /** Results of what came before it are passed over. */
  take({ endMs, isFinal, isFinalized, words, languages }: LiveResult): void {
    const { beginMs, name } = this.call;
    if (endMs <= beginMs + ROUNDING_MS) return;
    const own = words.filter(({ end }) => end * 1_000 > beginMs);
    if (languages.length > 0) this.#languages = languages;
    this.#guessedMs = Math.max(this.#guessedMs, endMs);
    this.#interim = isFinal ? [] : own;
    if (!isFinal) return;
    this.#final.push(...own);
    if (this.#final.length > MAX_WORDS) throw nonsense({ name }, `more than ${MAX_WORDS} words of one utterance`);
    this.#finalMs = Math.max(this.#finalMs, endMs);
    this.#isFinalized ||= isFinalized;
  }

  /** How much of it the service has guessed. */
  get upToMs(): number {
    return Math.min(this.#guessedMs - this.call.beginMs, this.lengthMs);
  }

  /** What was said so far; times from its beginning, none behind its end. */
  heard(): HeardUtterance {
    const said = [...this.#final, ...this.#interim];
    const text = said.map((answered) => answered.punctuated_word ?? answered.word).join(' ');
    const pieces = said.map((answered) => pieceOf(answered, NOBODY));
    const span = { startMs: this.call.beginMs, endMs: this.call.beginMs + this.lengthMs };
    const limits = { startMs: 0, endMs: Math.floor(this.lengthMs) };
    const words = said.length === 0 ? [] : timedWords(text, pieces, span);
    return { words: placed(words, { offsetMs: -this.call.beginMs, limits }), language: this.#language(said) };
  }

  #language(said: readonly LiveWord[]): string {
    const counts = new Map<string, number>();
    for (const { language } of said) if (language != null) counts.set(language, (counts.get(language) ?? 0) + 1);
    const [most] = [...counts].sort(([, one], [, other]) => other - one);
    return this.call.language ?? tagOf(most?.[0]) ?? tagOf(this.#languages[0]) ?? 'und';
  }
}

function tagOf(language: string | undefined): string | undefined {
  return language !== undefined && /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(language) ? language : undefined;
}
