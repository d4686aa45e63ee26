import { existsSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { orAborted } from '../../../platform/or-aborted';
import { untilAborted } from './abort';
import { toSegment, type Token } from './pocketsphinx-text';
import {
  INSTALL_COMMAND,
  PocketSphinxThread,
  pocketSphinxWorkerFile,
  type ThreadSettings,
} from './pocketsphinx-thread';
import { Pool } from './pool';
import { refuseUnsupported } from './refuse-unsupported';
import {
  EngineUnavailableError,
  PCM_SAMPLE_RATE_HZ,
  type Probe,
  type RecognizedSegment,
  type TranscribeOptions,
  type Transcriber,
  type TranscriberInfo,
} from './transcriber';
import { VoiceActivity, type VoiceEvent } from './voice-activity';

export interface PocketSphinxOptions {
  /** How many recordings are recognised at once, each on one core with about 110 MB; default 1. More callers wait. */
  maxDecoders?: number;
  /** Where to look for the English model, best first. */
  modelDirectories?: readonly string[];
  /** Names or paths of the two libraries. */
  libraries?: { sphinxbase: string; pocketsphinx: string };
  /** The script the threads run. */
  workerFile?: string;
}

const INFO: TranscriberInfo = {
  id: 'pocketsphinx',
  task: 'RECOGNIZE',
  local: true,
  languages: ['en-US'],
  streaming: true,
  wordTimes: true,
  speakers: false,
  confidence: true,
  grammar: false,
  detectsLanguage: false,
  punctuation: false,
  maxKeyterms: 0,
  pieces: null,
  quality:
    'US English, clean close speech only: about one word in four wrong on short prompts; noise or telephones make it useless.',
  version: '5prealpha',
};

const MODEL_DIRECTORIES = ['/usr/share/pocketsphinx/model/en-us', '/usr/local/share/pocketsphinx/model/en-us'];
/** Debian's sonames; they name the ABI that the thread's declarations describe. */
const LIBRARIES = { sphinxbase: 'libsphinxbase.so.3', pocketsphinx: 'libpocketsphinx.so.3' };

/** What the decoder is given at a time; an abort takes effect after one. */
const FEED_SAMPLES = PCM_SAMPLE_RATE_HZ / 10;
/** The decoder needs to hear an end: tried with shorter silences, the last word was often wrong. */
const TRAILING_SILENCE_MS = 300;
/** How much audio may pass before other work of this process gets its turn, should the source never wait. */
const TURN_SAMPLES = PCM_SAMPLE_RATE_HZ * 10;
const MS_PER_FRAME = 10;

/**
 * PocketSphinx with Debian's US English model. Word errors as measured on clean speech at 16 kHz: 1.4 % on the golden
 * announcements, about 26 % on 2,877 words of short prompts, 27 to 30 % on an audiobook. No punctuation inside a sentence; about 0.15 s of CPU per second of speech and nearly none for
 * silence. Opens nothing before the first call; threads are kept for the next recording until disposed.
 */
export function createPocketSphinx(options: PocketSphinxOptions = {}): Transcriber {
  const directories = options.modelDirectories ?? MODEL_DIRECTORIES;
  const settings = (): ThreadSettings => ({
    modelDirectory: requireModel(directories),
    libraries: options.libraries ?? LIBRARIES,
    workerFile: options.workerFile ?? pocketSphinxWorkerFile(),
  });
  const pool = new Pool({ limit: options.maxDecoders ?? 1, open: async () => PocketSphinxThread.open(settings()) });
  return {
    info: INFO,
    probe: () => probe(settings),
    transcribe: (pcm, callOptions) => transcribe(pool, pcm, callOptions),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

function requireModel(directories: readonly string[]): string {
  const parts = ['en-us/mdef', 'cmudict-en-us.dict', 'en-us.lm.bin'];
  const found = directories.find((directory) => parts.every((part) => existsSync(path.join(directory, part))));
  if (found != null) return found;
  throw new EngineUnavailableError(
    `The English model of PocketSphinx is not in ${directories.join(' or ')}. Install with: ${INSTALL_COMMAND}`,
  );
}

async function probe(settings: () => ThreadSettings): Promise<Probe> {
  try {
    await PocketSphinxThread.check(settings());
    return { available: true };
  } catch (error) {
    return { available: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

async function* transcribe(
  pool: Pool<PocketSphinxThread>,
  pcm: AsyncIterable<Int16Array>,
  options: TranscribeOptions,
): AsyncGenerator<RecognizedSegment, void, undefined> {
  refuseUnsupported(INFO, options);
  const { startMs = 0, signal } = options;
  using loan = await pool.acquire(signal);
  const recognizer = new UtteranceRecognizer(loan.resource, { startMs, signal });
  await orAborted(loan.resource.reset(), signal);
  let index = 0;
  for await (const event of voiceEvents(untilAborted(pcm, signal))) {
    const tokens = await recognizer.take(event);
    const segment = tokens && toSegment(tokens, { index, language: INFO.languages[0]! });
    if (!segment) continue;
    index++;
    yield segment;
  }
}

async function* voiceEvents(pcm: AsyncIterable<Int16Array>): AsyncGenerator<VoiceEvent, void, undefined> {
  const voice = new VoiceActivity();
  let samplesThisTurn = 0;
  for await (const samples of pcm) {
    yield* voice.push(samples);
    samplesThisTurn += samples.length;
    if (samplesThisTurn < TURN_SAMPLES) continue;
    samplesThisTurn = 0;
    await nextTurn();
  }
  yield* voice.finish();
}

/**
 * Passes one utterance after the other through the decoder and puts its words at their place in the media. The decoder's
 * estimates depend a little on how the audio is cut, so it is cut the same way whatever sizes arrive: the same recording
 * gives the same result.
 */
class UtteranceRecognizer {
  #beginMs = 0;
  #batch = new Int16Array(FEED_SAMPLES);
  #batchSamples = 0;

  constructor(
    private readonly thread: PocketSphinxThread,
    private readonly call: { startMs: number; signal: AbortSignal },
  ) {}

  /** Resolves with the tokens of an utterance at its end, otherwise with null. */
  async take(event: VoiceEvent): Promise<Token[] | null> {
    if (event.type === 'begin') {
      this.#beginMs = this.call.startMs + toMs(event.atSample);
      await orAborted(this.thread.beginUtterance(), this.call.signal);
      return null;
    }
    if (event.type === 'audio') {
      await this.#feed(event.samples);
      return null;
    }
    await this.#feed(new Int16Array(Math.max(0, TRAILING_SILENCE_MS - event.silentMs) * (PCM_SAMPLE_RATE_HZ / 1_000)));
    await this.#feedBatch();
    return this.#finish(this.call.startMs + toMs(event.atSample));
  }

  async #feed(samples: Int16Array): Promise<void> {
    for (let from = 0; from < samples.length;) {
      const part = samples.subarray(from, from + FEED_SAMPLES - this.#batchSamples);
      this.#batch.set(part, this.#batchSamples);
      this.#batchSamples += part.length;
      from += part.length;
      if (this.#batchSamples === FEED_SAMPLES) await this.#feedBatch();
    }
  }

  async #feedBatch(): Promise<void> {
    const pcm = this.#batch.slice(0, this.#batchSamples);
    this.#batchSamples = 0;
    if (pcm.length > 0) await orAborted(this.thread.feed(pcm), this.call.signal);
  }

  /** Words end with the utterance at the latest: the silence added behind it is not part of the media. */
  async #finish(endMs: number): Promise<Token[]> {
    const heard = await orAborted(this.thread.finishUtterance(), this.call.signal);
    const place = (frame: number) => Math.min(this.#beginMs + frame * MS_PER_FRAME, endMs);
    return heard.map(({ text, startFrame, endFrame, confidence }) => ({
      text,
      confidence,
      startMs: place(startFrame),
      endMs: place(endFrame),
    }));
  }
}

/** Utterances begin on whole frames; only the very last sample of a recording may lie between two milliseconds. */
function toMs(samples: number): number {
  return Math.ceil(samples / (PCM_SAMPLE_RATE_HZ / 1_000));
}
