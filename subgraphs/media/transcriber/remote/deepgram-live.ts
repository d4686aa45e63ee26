import type { HeardUtterance, LiveDecoder, LiveDecoderOptions, LiveEngine } from '../live/live-decoder';
import { refuseUnsupported } from '../refuse-unsupported';
import { PCM_SAMPLE_RATE_HZ, TranscriberFailedError } from '../transcriber';
import { pcmBytes } from '../wav';
import { DEEPGRAM, deepgramAddress, deepgramHeaders, deepgramInfo, type DeepgramSettings } from './deepgram';
import { deepgramCode } from './deepgram-languages';
import { readDeepgramResult } from './deepgram-result';
import { DeepgramSocket } from './deepgram-socket';
import { DeepgramUtterance } from './deepgram-utterance';
import type { RemoteService } from './remote-call';

export interface LiveDeepgramOptions extends Pick<RemoteService, 'wait'> {
  /** Milliseconds between messages that hold a silent connection open. Deepgram says 3 to 5 s, and closes after 10. */
  keepAliveMs?: number;
  /** How long it may take to connect, to take audio, and, beside an utterance's own length, to say its final words. */
  timeoutMs?: number;
  /** How long it is waited for an answer that may not come, because hardly anything was left to be said. */
  quietMs?: number;
}

const SAMPLES_PER_MS = PCM_SAMPLE_RATE_HZ / 1_000;
/** Deepgram wants 20 to 250 ms at a time. */
const CHUNK_SAMPLES = 100 * SAMPLES_PER_MS;
/** Silence behind an utterance, so that its last word has ended for the service too. */
const TRAILING_SILENCE_MS = 500;
/** Messages hold a connection open only behind some audio (Deepgram's community, "WebSocket API Disconnections"). */
const OPENING_SILENCE_SAMPLES = 100 * SAMPLES_PER_MS;

/**
 * Deepgram's `wss://…/v1/listen` for what is being said: a decoder is a connection. Only what people say is sent (and paid
 * for); the silence between is not. Each utterance stands by itself, so a decoder has no state. Guesses come when the service
 * has them, about one a second: `feed` answers what has come so far. A connection that breaks fails the decoder.
 *
 * The same audio is not promised to give the same words: who hears a sentence again may hear it a little differently.
 */
export function createLiveDeepgram(settings: DeepgramSettings, options: LiveDeepgramOptions = {}): LiveEngine {
  const { wait, keepAliveMs = 4_000, timeoutMs = 10_000, quietMs = 1_000 } = options;
  const service = { ...DEEPGRAM, timeoutMs, ...(wait && { wait }) };
  const info = deepgramInfo(settings);
  const closing = new AbortController();
  return {
    info,
    async open({ language, vocabulary, signal: session }) {
      const signal = AbortSignal.any([session, closing.signal]);
      refuseUnsupported(info, { signal, ...(language != null && { language }), ...(vocabulary && { vocabulary }) });
      const url = listenAddress(settings, { language, vocabulary });
      const said: Said = { utterance: null };
      const take = (message: unknown): void => {
        const result = readDeepgramResult(service, message);
        if (result) said.utterance?.take(result);
      };
      const connection = { url, headers: deepgramHeaders(settings), keepAliveMs, take, signal };
      const socket = await DeepgramSocket.open(service, connection);
      const decoder = new LiveDeepgram(socket, said, { language, timeoutMs, quietMs, signal });
      await decoder.send(new Int16Array(OPENING_SILENCE_SAMPLES));
      return decoder;
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new TranscriberFailedError('Deepgram was closed.'));
    },
  };
}

function listenAddress(
  settings: DeepgramSettings,
  { language, vocabulary }: Pick<LiveDecoderOptions, 'language' | 'vocabulary'>,
): URL {
  const url = deepgramAddress(settings, 'listen');
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
  const query = url.searchParams;
  query.set('model', settings.model);
  query.set('encoding', 'linear16');
  query.set('sample_rate', String(PCM_SAMPLE_RATE_HZ));
  query.set('channels', '1');
  query.set('interim_results', 'true');
  query.set('punctuate', 'true');
  // Where an utterance ends is found here; a result that ends it early would leave nothing for our own end to finalize.
  query.set('endpointing', 'false');
  // A stream has no detect_language; this is what knows languages apart (its docs, Language Detection).
  query.set('language', language === undefined ? 'multi' : deepgramCode(language));
  for (const term of vocabulary?.keyterms ?? []) query.append('keyterm', term);
  return url;
}

/** A guess without words. */
const NOTHING = '';

/** What is being said, as far as the service has told. */
interface Said {
  utterance: DeepgramUtterance | null;
}

class LiveDeepgram implements LiveDecoder {
  readonly state = null;
  #sentSamples = 0;
  #guess = NOTHING;

  constructor(
    private readonly socket: DeepgramSocket,
    private readonly said: Said,
    private readonly call: {
      language: string | undefined;
      timeoutMs: number;
      quietMs: number;
      signal: AbortSignal;
    },
  ) {}

  async begin(): Promise<void> {
    this.socket.check();
    const { language } = this.call;
    const beginMs = this.#sentSamples / SAMPLES_PER_MS;
    this.said.utterance = new DeepgramUtterance({ name: DEEPGRAM.name, beginMs, language });
    this.#guess = NOTHING;
  }

  async feed(pcm: Int16Array): Promise<HeardUtterance | null> {
    const utterance = this.said.utterance!;
    utterance.lengthen(pcm.length);
    await this.send(pcm);
    const heard = { ...utterance.heard(), upToMs: utterance.upToMs };
    const guess = heard.words.length === 0 ? NOTHING : JSON.stringify(heard);
    if (guess === this.#guess) return null;
    this.#guess = guess;
    return heard;
  }

  async finish(silentMs: number): Promise<HeardUtterance> {
    const utterance = this.said.utterance!;
    this.socket.check();
    if (utterance.lengthMs > 0) {
      await this.send(new Int16Array(Math.max(0, TRAILING_SILENCE_MS - silentMs) * SAMPLES_PER_MS));
      this.socket.tell('Finalize');
      await this.#finalized(utterance, silentMs);
    }
    this.said.utterance = null;
    return utterance.heard();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.socket[Symbol.asyncDispose]();
  }

  async send(pcm: Int16Array): Promise<void> {
    for (let from = 0; from < pcm.length; from += CHUNK_SAMPLES) {
      const chunk = pcm.subarray(from, from + CHUNK_SAMPLES);
      this.#sentSamples += chunk.length;
      await this.socket.send(pcmBytes(chunk));
    }
  }

  /**
   * Waits for the answer to `Finalize`. When hardly anything is left to be said there may be none (Deepgram's docs,
   * Finalize): then a while without one will do. Fails the connection when words are missing for too long.
   */
  async #finalized(utterance: DeepgramUtterance, silentMs: number): Promise<void> {
    const { timeoutMs, quietMs, signal } = this.call;
    const { news } = this.socket;
    const begunAt = performance.now();
    while (!utterance.isFinalized) {
      const isSaid = utterance.unsureMs <= silentMs;
      const restMs = begunAt + (isSaid ? quietMs : timeoutMs + utterance.lengthMs) - performance.now();
      if (restMs <= 0 && isSaid) return;
      if (restMs <= 0)
        this.socket.fail(new TranscriberFailedError(`${DEEPGRAM.name} did not say what it had heard in time.`));
      this.socket.check();
      news.lower();
      await news.raised(signal, restMs);
      this.socket.check();
    }
  }
}
