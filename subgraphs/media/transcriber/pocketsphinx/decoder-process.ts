import { EngineProcess } from '../engine-process';
import type { Pooled } from '../pool';
import { startChild } from '../start-child';
import { EngineUnavailableError } from '../transcriber';
import { INSTALL_COMMAND, type Installation } from './installation';

/** Frames are 10 ms, counted from the beginning of the utterance. */
export interface HeardWord {
  text: string;
  startFrame: number;
  endFrame: number;
  /** Known at the end of the utterance only. */
  confidence: number | null;
}

/** What a decoder takes for the sound of voice and room: the mean of the cepstral vectors heard, and of how many. */
export interface Sound {
  mean: number[];
  frames: number;
}

/** What a decoder is made to expect; the spellings are its dictionary's, so lower case. */
export interface DecoderVocabulary {
  /** Words its dictionary lacks, with their sounds in ARPABET. */
  added: readonly (readonly [word: string, phones: string])[];
  /** A language model in ARPA's format; it gets half the weight. */
  model?: string;
  /** All that can be said, as a graph in the format of sphinxbase's FSG. */
  graph?: string;
}

/**
 * A decoder needs 153 MB at rest and up to 215 MB at work, with a vocabulary of 1,000 sentences and utterances of 20 s; its
 * JavaScript holds one second of audio and the words of one utterance.
 */
const LIMITS = { maxMemoryBytes: 512 * 1024 * 1024, maxHeapMegabytes: 64 };

/** `live` recognizes like `recognition`, before all others when the machine is busy. */
export type DecoderUse = 'recognition' | 'live' | 'alignment';

/** No request takes longer than some seconds, on the slowest machine; then the library hangs. */
const ANSWER_LIMIT_MS = 60_000;

/** What {@link DecoderProcess.hear} is best given: a multiple of what the decoder is given at a time. */
export const LIVE_BLOCK_SAMPLES = 800;

/** One PocketSphinx decoder in an {@link EngineProcess} (about 140 MB). */
export class DecoderProcess implements Pooled {
  #vocabulary = 'null';

  private constructor(private readonly engine: EngineProcess) {}

  /** Starts a process with a loaded decoder. Throws EngineUnavailableError when a library or the model cannot be loaded. */
  static async open(installation: Installation, use: DecoderUse): Promise<DecoderProcess> {
    const engine = start(installation, use);
    try {
      await load(engine, installation, use);
      return new DecoderProcess(engine);
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Loads the libraries in a process that then ends. Throws EngineUnavailableError when one is missing. */
  static async check(installation: Installation): Promise<void> {
    await using engine = start(installation, 'probe');
    await load(engine, installation, 'probe');
  }

  get isUsable(): boolean {
    return this.engine.isUsable;
  }

  get pid(): number | undefined {
    return this.engine.pid;
  }

  /** Forgets what was heard before, and expects the sound of the voice in this audio (some seconds of speech). */
  async tuneIn(pcm: Int16Array): Promise<void> {
    await this.engine.request({ type: 'tuneIn', pcm });
  }

  /** Makes the decoder expect this and nothing of what was expected before; null: nothing in particular. */
  async use(vocabulary: DecoderVocabulary | null): Promise<void> {
    const wanted = JSON.stringify(vocabulary);
    if (wanted === this.#vocabulary) return; // loading everything anew takes 0.3 s
    this.#vocabulary = ''; // should it fail, the next call starts anew
    await this.engine.request({ type: 'use', vocabulary });
    this.#vocabulary = wanted;
  }

  /**
   * Like {@link use}, but leaves in the dictionary what was added before: quick, and right for a decoder that only ever
   * follows graphs, where no other word is in reach.
   */
  async expect(vocabulary: DecoderVocabulary): Promise<void> {
    await this.engine.request({ type: 'expect', vocabulary });
  }

  /** Those of the words that the dictionary lacks. */
  async unknownWords(words: readonly string[]): Promise<string[]> {
    return (await this.engine.request({ type: 'unknown', words })) as string[];
  }

  /** The sound it has come to expect. */
  async sound(): Promise<Sound> {
    return (await this.engine.request({ type: 'sound' })) as Sound;
  }

  /** Expects this sound; null: what the model assumes, until something was heard. */
  async useSound(sound: Sound | null): Promise<void> {
    await this.engine.request({ type: 'useSound', sound });
  }

  async beginUtterance(): Promise<void> {
    await this.engine.request({ type: 'begin' });
  }

  async feed(pcm: Int16Array): Promise<void> {
    await this.engine.request({ type: 'feed', pcm });
  }

  /** Like {@link feed}, but in shorter blocks, and answers the best guess at the utterance so far. */
  async hear(pcm: Int16Array): Promise<HeardWord[]> {
    return (await this.engine.request({ type: 'hear', pcm })) as HeardWord[];
  }

  async finishUtterance(): Promise<HeardWord[]> {
    return (await this.engine.request({ type: 'finish' })) as HeardWord[];
  }

  settled(): Promise<void> {
    return this.engine.settled();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.engine[Symbol.asyncDispose]();
  }
}

function start({ childFile }: Installation, use: DecoderUse | 'probe'): EngineProcess {
  const child = startChild(childFile, { ...LIMITS, isLive: use === 'live' });
  return new EngineProcess(child, { name: 'PocketSphinx', answerLimitMs: ANSWER_LIMIT_MS });
}

async function load(
  engine: EngineProcess,
  { modelDirectory, libraries }: Installation,
  use: DecoderUse | 'probe',
): Promise<void> {
  const problem = await engine.request({ type: 'open', modelDirectory, libraries, for: use });
  if (problem !== null) throw unavailable(problem as Unavailable);
}

interface Unavailable {
  /** Which part cannot be loaded. */
  unavailable: string;
  detail: string;
}

function unavailable({ unavailable: part, detail }: Unavailable): EngineUnavailableError {
  const help =
    part === 'koffi' ? 'Run npm ci again without omitting optional dependencies.' : `Install with: ${INSTALL_COMMAND}`;
  return new EngineUnavailableError(`PocketSphinx cannot load ${part} (${detail.trim()}). ${help}`);
}
