import { orAborted } from '../../../../platform/or-aborted';
import { joinedSamples } from '../joined-samples';
import type { HeardUtterance, LiveDecoder, LiveDecoderOptions, LiveEngine } from '../live/live-decoder';
import { Pool } from '../pool';
import { refuseUnsupported } from '../refuse-unsupported';
import { PCM_SAMPLE_RATE_HZ } from '../transcriber';
import { DecoderProcess, LIVE_BLOCK_SAMPLES, type HeardWord, type Sound } from './decoder-process';
import { findPocketSphinx } from './installation';
import { readSound } from './live-state';
import { POCKETSPHINX_INFO, type PocketSphinxOptions } from './pocketsphinx';
import { toWords } from './text';
import { TRAILING_SILENCE_MS } from './utterances';
import { Vocabularies } from './vocabulary/vocabularies';

/**
 * PocketSphinx for what is being said: each open decoder has a process of its own (about 140 MB), which then serves the next
 * session or is closed after a minute; opening one anew takes 0.3 s. About 0.2 s of CPU per second of speech. As accurate
 * as in batch (1.4 % word errors on the golden announcements): the first utterance of a session is heard with the sound the
 * model assumes, and from its second second on with its own.
 *
 * `open` also throws InvalidVocabularyError for a grammar that `checkGrammar` refuses or that names a word nobody knows how
 * to say.
 */
export function createLivePocketSphinx(options: Omit<PocketSphinxOptions, 'maxDecoders'> = {}): LiveEngine {
  const pool = new Pool({
    limit: Number.MAX_SAFE_INTEGER,
    open: async () => DecoderProcess.open(findPocketSphinx(options), 'live'),
    ...(options.idleMs != null && { idleMs: options.idleMs }),
  });
  const vocabularies = new Vocabularies(options);
  const info = { ...POCKETSPHINX_INFO, pieces: null };
  return {
    info,
    async open({ language, vocabulary, state, signal }: LiveDecoderOptions) {
      refuseUnsupported(info, { signal, ...(language != null && { language }), ...(vocabulary && { vocabulary }) });
      const loan = await pool.acquire(signal);
      try {
        const decoder = loan.resource;
        const expected = vocabulary && (await vocabularies.prepare(vocabulary, { decoder, signal }));
        await orAborted(decoder.use(expected?.decoder ?? null), signal);
        return new LivePocketSphinx(loan, { sound: readSound(state), spellings: expected?.spellings, signal });
      } catch (error) {
        loan[Symbol.dispose]();
        throw error;
      }
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

const SAMPLES_PER_MS = PCM_SAMPLE_RATE_HZ / 1_000;
const MS_PER_FRAME = 10;
/**
 * How much of the first utterance tells the sound of a session; whole blocks. Word errors of 327 words of first utterances
 * with the sound the model assumes: 26.6 %; with that of their first 0.6 s: 29.4 %, of 1 s: 21.1 %, of 1.5 s: 22.3 %, of 5 s,
 * as in batch: 19.0 %.
 */
const TUNING_SAMPLES = 20 * LIVE_BLOCK_SAMPLES;

interface LiveCall {
  sound: Sound | null;
  spellings: ReadonlyMap<string, string> | undefined;
  signal: AbortSignal;
}

class LivePocketSphinx implements LiveDecoder {
  /** Null until an utterance was long enough to tell it. */
  #sound: Sound | null;
  /** What was heard of an utterance before its sound is known; null when that is known. */
  #opening: Int16Array | null = null;
  /** What does not fill a block yet. */
  #rest = new Int16Array(0);
  #samples = 0;
  #guess = '[]';

  constructor(
    private readonly loan: { resource: DecoderProcess } & Disposable,
    private readonly call: LiveCall,
  ) {
    this.#sound = call.sound;
  }

  get state(): Sound | null {
    return this.#sound;
  }

  async begin(): Promise<void> {
    this.#opening = this.#sound ? null : new Int16Array(0);
    this.#rest = new Int16Array(0);
    this.#samples = 0;
    this.#guess = '[]';
    await this.#ask((decoder) => decoder.useSound(this.#sound));
    await this.#ask((decoder) => decoder.beginUtterance());
  }

  /**
   * PocketSphinx's estimates depend a little on how audio is cut. So it is cut into blocks counted from the utterance's
   * first sample, however it comes.
   */
  async feed(pcm: Int16Array): Promise<HeardUtterance | null> {
    this.#samples += pcm.length;
    const samples = joinedSamples([this.#rest, pcm]);
    const whole = samples.length - (samples.length % LIVE_BLOCK_SAMPLES);
    this.#rest = samples.slice(whole);
    if (whole === 0) return null;
    const blocks = await this.#tuned(samples.slice(0, whole));
    return this.#changed(await this.#ask((decoder) => decoder.hear(blocks)));
  }

  async finish(silentMs: number): Promise<HeardUtterance> {
    const missing = new Int16Array(Math.max(0, TRAILING_SILENCE_MS - silentMs) * SAMPLES_PER_MS);
    await this.#ask((decoder) => decoder.hear(joinedSamples([this.#rest, missing])));
    const heard = await this.#ask((decoder) => decoder.finishUtterance());
    if (!this.#opening) this.#sound = await this.#ask((decoder) => decoder.sound());
    return this.#utterance(heard, true);
  }

  /** Resolves when the process is at rest, so that the next session finds it, or gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.loan[Symbol.dispose]();
    await this.loan.resource.settled();
  }

  /**
   * What to hear next. Once there is enough of the first utterance to tell its sound, that is all of it, from the beginning:
   * this takes 0.2 s of CPU, once in a session, and no word of the beginning has to wait for it.
   */
  async #tuned(blocks: Int16Array): Promise<Int16Array> {
    if (!this.#opening) return blocks;
    const opening = joinedSamples([this.#opening, blocks]);
    this.#opening = opening;
    if (opening.length < TUNING_SAMPLES) return blocks;
    this.#opening = null;
    await this.#ask((decoder) => decoder.tuneIn(opening.slice(0, TUNING_SAMPLES)));
    await this.#ask((decoder) => decoder.beginUtterance());
    return opening;
  }

  #changed(heard: readonly HeardWord[]): HeardUtterance | null {
    const utterance = this.#utterance(heard, false);
    const guess = JSON.stringify(utterance.words);
    if (guess === this.#guess) return null;
    this.#guess = guess;
    return utterance;
  }

  /** Words end with the utterance at the latest: silence that was added behind it is not part of it. */
  #utterance(heard: readonly HeardWord[], isOver: boolean): HeardUtterance {
    const { spellings } = this.call;
    const endMs = Math.ceil(this.#samples / SAMPLES_PER_MS);
    const place = (frame: number) => Math.min(frame * MS_PER_FRAME, endMs);
    const tokens = heard.map(({ text, startFrame, endFrame, confidence }) => ({
      text,
      confidence,
      startMs: place(startFrame),
      endMs: place(endFrame),
    }));
    return {
      words: toWords(tokens, { isOver, ...(spellings && { spellings }) }),
      language: POCKETSPHINX_INFO.languages[0]!,
    };
  }

  #ask<Answer>(request: (decoder: DecoderProcess) => Promise<Answer>): Promise<Answer> {
    this.call.signal.throwIfAborted();
    return orAborted(request(this.loan.resource), this.call.signal);
  }
}
