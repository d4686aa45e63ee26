import { orAborted } from '../../platform/or-aborted';
import type { CachedTranslation } from './translation-cache';

export type Answers = ReadonlyMap<string, CachedTranslation>;

/** Makes one engine call for these texts; the signal says that nobody wants its answers any more. */
export type CallEngine = (texts: readonly string[], signal: AbortSignal) => Promise<Answers>;

/** Texts of one engine and pair. */
export interface WantedTexts {
  texts: readonly string[];
  /** Where a text stands among those of all engines and pairs. */
  keyOf: (text: string) => string;
  call: CallEngine;
  /** Ends the waiting of this asker only. */
  signal: AbortSignal | undefined;
}

/** What engines translate at the moment: whoever wants one of these texts waits for the same call. */
export class CallsUnderWay {
  readonly #calls = new Map<string, SharedCall>();

  /**
   * Answers each of the texts, with at most one call for those that nobody has asked for yet. Rejects like `call`, or
   * with the signal's reason as soon as it aborts; a call ends early only when all its askers have gone.
   */
  async translate(wanted: WantedTexts): Promise<Answers> {
    wanted.signal?.throwIfAborted();
    return this.#join(wanted, (call) => this.#askAgain(wanted, call));
  }

  /** A call that others began may have failed because of one of their texts: so the own ones are asked for once more. */
  #askAgain(wanted: WantedTexts, failed: SharedCall): Promise<Answers> | undefined {
    const isOwn = [...failed.texts].every((text) => wanted.texts.includes(text));
    if (isOwn || wanted.signal?.aborted) return undefined;
    return this.#join({ ...wanted, texts: wanted.texts.filter((text) => failed.texts.has(text)) }, () => undefined);
  }

  async #join(wanted: WantedTexts, afterFailure: (call: SharedCall) => Promise<Answers> | undefined): Promise<Answers> {
    const answers = await Promise.all(
      [...this.#callsFor(wanted)].map((call) =>
        call.wait(wanted.signal).catch((error: unknown) => afterFailure(call) ?? Promise.reject(error as Error)),
      ),
    );
    return new Map(answers.flatMap((each) => [...each]));
  }

  #callsFor({ texts, keyOf, call }: WantedTexts): Set<SharedCall> {
    const fresh = texts.filter((text) => !this.#calls.has(keyOf(text)));
    if (fresh.length > 0) {
      const shared = new SharedCall(fresh, call, () => fresh.forEach((text) => this.#calls.delete(keyOf(text))));
      for (const text of fresh) this.#calls.set(keyOf(text), shared);
    }
    return new Set(texts.map((text) => this.#calls.get(keyOf(text))!));
  }
}

/** One engine call and those who wait for it. */
class SharedCall {
  readonly texts: ReadonlySet<string>;
  readonly #answers: Promise<Answers>;
  readonly #left = new AbortController();
  #waiting = 0;
  #isOver = false;

  /** `onOver` is told once, when it has settled or everybody has left: nobody should join it any more. */
  constructor(
    texts: readonly string[],
    call: CallEngine,
    private readonly onOver: () => void,
  ) {
    this.texts = new Set(texts);
    this.#answers = call(texts, this.#left.signal).finally(() => this.#end());
  }

  async wait(signal: AbortSignal | undefined): Promise<Answers> {
    this.#waiting++;
    try {
      return await (signal ? orAborted(this.#answers, signal) : this.#answers);
    } finally {
      if (--this.#waiting === 0) this.#end();
    }
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.onOver();
    this.#left.abort(new Error('Nobody waits for this translation any more.'));
  }
}
