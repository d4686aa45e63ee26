import type { HeardUtterance, LiveDecoder, LiveDecoderOptions, LiveEngine } from '../../transcriber/live/live-decoder';
import { PCM_SAMPLE_RATE_HZ, TranscriberFailedError, type Word } from '../../transcriber/transcriber';

/** What a test sees of the engine's decoders, and may do in them. */
export interface ToneEngine extends LiveEngine {
  opened: LiveDecoderOptions[];
  /** Those that are open now. */
  decoders: number;
  /** Whether utterances turn out to be noise in the end. */
  nothingSaid: boolean;
  /** Called with each call; may wait, or throw as an engine would. */
  before: (call: 'open' | 'begin' | 'feed' | 'finish') => Promise<void> | void;
  /** Writes a word for a tone; default `n7`. */
  word: (number: number) => string;
}

const HZ_PER_NUMBER = 40;
const FIRST_HZ = 400;
const FRAME = 160;

/**
 * Understands tones as `soundOf` makes them: each is a word. How sure it is depends on how many words came before in the
 * session, which is the decoder's state: a decoder that goes on without it says something else.
 */
export function toneEngine(): ToneEngine {
  const engine: ToneEngine = {
    opened: [],
    decoders: 0,
    nothingSaid: false,
    before: () => undefined,
    word: (number) => `n${number}`,
    info: {
      ...{ id: 'tones', task: 'RECOGNIZE', local: true, languages: ['en-US'], streaming: true, wordTimes: true },
      ...{ speakers: false, confidence: true, grammar: true, detectsLanguage: false, punctuation: false },
      ...{ maxKeyterms: 100, quality: 'Understands tones.', version: '1', pieces: null },
    },
    async open(options) {
      engine.opened.push(options);
      await engine.before('open');
      options.signal.throwIfAborted();
      engine.decoders++;
      return new ToneDecoder(engine, options);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  return engine;
}

/** As an engine whose process dies. */
export function broken(): TranscriberFailedError {
  return new TranscriberFailedError('The process of tones cannot go on: it ended with SIGSEGV.', { retryable: true });
}

class ToneDecoder implements LiveDecoder {
  private said: number;
  private rest = new Int16Array(0);
  private words: Word[] = [];
  private frame = 0;
  private began = -1;
  /** Samples at which the tone has changed its sign. */
  private crossings: number[] = [];
  private last = 0;

  constructor(
    private readonly engine: ToneEngine,
    private readonly options: LiveDecoderOptions,
  ) {
    this.said = (options.state as { said: number } | undefined)?.said ?? 0;
  }

  get state(): unknown {
    return { said: this.said };
  }

  async begin(): Promise<void> {
    await this.call('begin');
    [this.words, this.rest, this.frame, this.began, this.crossings] = [[], new Int16Array(0), 0, -1, []];
  }

  async feed(pcm: Int16Array): Promise<HeardUtterance | null> {
    await this.call('feed');
    const all = new Int16Array(this.rest.length + pcm.length);
    all.set(this.rest);
    all.set(pcm, this.rest.length);
    const before = this.words.length;
    let at = 0;
    for (; at + FRAME <= all.length; at += FRAME) this.hear(all.subarray(at, at + FRAME));
    this.rest = all.slice(at);
    return this.words.length > before ? this.heard() : null;
  }

  async finish(): Promise<HeardUtterance> {
    await this.call('finish');
    if (this.began >= 0) this.end();
    if (this.engine.nothingSaid) this.words = [];
    this.said += this.words.length;
    return this.heard();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.engine.decoders--;
  }

  private async call(name: 'begin' | 'feed' | 'finish'): Promise<void> {
    await this.engine.before(name);
    this.options.signal.throwIfAborted();
  }

  private heard(): HeardUtterance {
    return { words: [...this.words], language: 'en-US' };
  }

  private hear(frame: Int16Array): void {
    const isLoud = frame.some((sample) => Math.abs(sample) > 4_000);
    if (isLoud && this.began < 0) this.began = this.frame;
    if (!isLoud && this.began >= 0) this.end();
    if (isLoud) this.listen(frame);
    this.frame++;
  }

  private listen(frame: Int16Array): void {
    for (const [at, sample] of frame.entries()) {
      if (Math.abs(sample) < 2_000) continue; // a resampler rings where a tone begins and ends
      if (this.last < 0 !== sample < 0) this.crossings.push(this.frame * FRAME + at);
      this.last = sample;
    }
  }

  private end(): void {
    const [startMs, endMs] = [this.began * 10, this.frame * 10];
    const halves = this.crossings;
    const hz = ((halves.length - 1) / 2 / (halves.at(-1)! - halves[0]!)) * PCM_SAMPLE_RATE_HZ;
    const number = Math.round((hz - FIRST_HZ) / HZ_PER_NUMBER);
    const confidence = ((this.said + this.words.length) % 10) / 10;
    this.words.push({ text: this.engine.word(number), startMs, endMs, confidence });
    [this.began, this.crossings] = [-1, []];
  }
}
