import type { ChildProcess } from 'node:child_process';
import type { Pooled } from '../pool';
import { EngineUnavailableError, TranscriberFailedError } from '../transcriber';
import { startChild } from '../start-child';
import { INSTALL_COMMAND, type Installation } from './installation';

/** Frames are 10 ms, counted from the beginning of the utterance. */
export interface HeardWord {
  text: string;
  startFrame: number;
  endFrame: number;
  confidence: number;
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

export type DecoderUse = 'recognition' | 'alignment';

type Reply =
  | { type: 'done'; value: unknown }
  | { type: 'unavailable'; part: string; detail: string }
  | { type: 'failed'; message: string };

/** No request takes longer than some seconds, on the slowest machine; then the library hangs. */
const ANSWER_LIMIT_MS = 60_000;
/** How long a request that nobody waits for any more may go on before its process is killed. */
const LEFT_LIMIT_MS = 500;
const STDERR_KEPT_CHARACTERS = 2_000;

/**
 * One PocketSphinx decoder in a process of its own (about 140 MB). Requests are answered one after the other; the promise
 * of a request is the back-pressure. Once broken (it crashed, was killed, did not answer for a minute) it stays broken:
 * every request then throws TranscriberFailedError.
 */
export class DecoderProcess implements Pooled {
  readonly #exited: Promise<void>;
  #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void } | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #broken: Error | undefined;
  #stderr = '';
  #vocabulary = 'null';

  /** Starts a process with a loaded decoder. Throws EngineUnavailableError when a library or the model cannot be loaded. */
  static async open(installation: Installation, use: DecoderUse): Promise<DecoderProcess> {
    const decoder = new DecoderProcess(startChild(installation.childFile, LIMITS));
    try {
      await decoder.#load(installation, use);
      return decoder;
    } catch (error) {
      await decoder[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Loads the libraries in a process that then ends. Throws EngineUnavailableError when one is missing. */
  static async check(installation: Installation): Promise<void> {
    await using decoder = new DecoderProcess(startChild(installation.childFile, LIMITS));
    await decoder.#load(installation, 'probe');
  }

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (reply: Reply) => this.#receive(reply));
    child.on('error', (error) => this.#break(error));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT_CHARACTERS);
    });
    this.#exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        const said = this.#stderr.trim() && `: ${this.#stderr.trim()}`;
        this.#break(new Error(`it ended with ${signal ?? `code ${code}`}${said}`));
        resolve();
      });
    });
  }

  get isUsable(): boolean {
    return this.#broken == null;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Forgets what was heard before, and expects the sound of the voice in this audio (some seconds of speech). */
  async tuneIn(pcm: Int16Array): Promise<void> {
    await this.#request({ type: 'tuneIn', pcm });
  }

  /** Makes the decoder expect this and nothing of what was expected before; null: nothing in particular. */
  async use(vocabulary: DecoderVocabulary | null): Promise<void> {
    const wanted = JSON.stringify(vocabulary);
    if (wanted === this.#vocabulary) return; // loading everything anew takes 0.3 s
    this.#vocabulary = ''; // should it fail, the next call starts anew
    await this.#request({ type: 'use', vocabulary });
    this.#vocabulary = wanted;
  }

  /**
   * Like {@link use}, but leaves in the dictionary what was added before: quick, and right for a decoder that only ever
   * follows graphs, where no other word is in reach.
   */
  async expect(vocabulary: DecoderVocabulary): Promise<void> {
    await this.#request({ type: 'expect', vocabulary });
  }

  /** Those of the words that the dictionary lacks. */
  async unknownWords(words: readonly string[]): Promise<string[]> {
    return (await this.#request({ type: 'unknown', words })) as string[];
  }

  async beginUtterance(): Promise<void> {
    await this.#request({ type: 'begin' });
  }

  async feed(pcm: Int16Array): Promise<void> {
    await this.#request({ type: 'feed', pcm });
  }

  async finishUtterance(): Promise<HeardWord[]> {
    return (await this.#request({ type: 'finish' })) as HeardWord[];
  }

  /** Resolves when no request is under way. One that a caller has left ends soon, or its process does. */
  async settled(): Promise<void> {
    const timer = setTimeout(() => this.#kill(new Error('its caller has left')), LEFT_LIMIT_MS);
    await this.#last.catch(() => {});
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill(new Error('it was closed'));
    await this.#exited;
  }

  async #load({ modelDirectory, libraries }: Installation, use: DecoderUse | 'probe'): Promise<void> {
    await this.#request({ type: 'open', modelDirectory, libraries, for: use });
  }

  /** Requests never overlap: each waits for the one before it, even when its caller has given up. */
  #request(request: { type: string } & Record<string, unknown>): Promise<unknown> {
    const sent = this.#last
      .catch(() => {})
      .then(() => {
        if (this.#broken) throw this.#failure(this.#broken);
        return this.#ask(request);
      });
    this.#last = sent;
    sent.catch(() => {});
    return sent;
  }

  async #ask(request: object): Promise<unknown> {
    const timer = setTimeout(() => this.#kill(new Error('it does not answer')), ANSWER_LIMIT_MS);
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject };
        this.child.send(request, (error) => error && this.#break(error));
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #receive(reply: Reply): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (reply.type === 'done') return waiting?.resolve(reply.value);
    if (reply.type === 'failed') this.#broken ??= new Error(reply.message);
    waiting?.reject(reply.type === 'failed' ? this.#failure(new Error(reply.message)) : unavailable(reply));
  }

  #kill(cause: Error): void {
    this.#break(cause);
    this.child.kill('SIGKILL');
  }

  #break(cause: Error): void {
    this.#broken ??= cause;
    this.#waiting?.reject(this.#failure(this.#broken));
    this.#waiting = undefined;
  }

  #failure(cause: Error): TranscriberFailedError {
    return new TranscriberFailedError(`The PocketSphinx process cannot go on: ${cause.message}`, { cause });
  }
}

function unavailable({ part, detail }: { part: string; detail: string }): EngineUnavailableError {
  const help =
    part === 'koffi' ? 'Run npm ci again without omitting optional dependencies.' : `Install with: ${INSTALL_COMMAND}`;
  return new EngineUnavailableError(`PocketSphinx cannot load ${part} (${detail.trim()}). ${help}`);
}
