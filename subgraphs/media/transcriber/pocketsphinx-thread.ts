import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { repositoryRoot } from '../../../platform/root';
import { EngineUnavailableError, TranscriberFailedError } from './transcriber';

/** What a thread needs to know; the shape of `workerData` in pocketsphinx.worker.cjs. */
export interface ThreadSettings {
  modelDirectory: string;
  libraries: { sphinxbase: string; pocketsphinx: string };
  workerFile: string;
}

/** Frames are 10 ms, counted from the beginning of the utterance. */
export interface HeardWord {
  text: string;
  startFrame: number;
  endFrame: number;
  confidence: number;
}

type Reply =
  | { type: 'ready' }
  | { type: 'unavailable'; part: string; detail: string }
  | { type: 'done'; value: unknown }
  | { type: 'failed'; message: string };

/** The Debian packages that hold the libraries and the model. */
export const INSTALL_COMMAND = 'apt-get install libpocketsphinx3 libsphinxbase3 pocketsphinx-en-us';

/** The thread's file is read from the repository in every mode: the build does not copy JavaScript. */
export function pocketSphinxWorkerFile(): string {
  return path.join(repositoryRoot(), 'subgraphs/media/transcriber/pocketsphinx.worker.cjs');
}

/**
 * One PocketSphinx decoder in a thread of its own (about 110 MB). Requests are answered one after the other; the promise of
 * a request is the back-pressure. Once broken it stays broken: every request then throws TranscriberFailedError.
 */
export class PocketSphinxThread implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void } | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #broken: Error | undefined;

  /** Starts a thread with a loaded decoder. Throws EngineUnavailableError when a library or the model cannot be loaded. */
  static async open(settings: ThreadSettings): Promise<PocketSphinxThread> {
    const thread = new PocketSphinxThread(settings, { probeOnly: false });
    try {
      await thread.#last;
      return thread;
    } catch (error) {
      await thread[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Loads the libraries in a thread that then ends. Throws EngineUnavailableError when one is missing. */
  static async check(settings: ThreadSettings): Promise<void> {
    await using thread = new PocketSphinxThread(settings, { probeOnly: true });
    await thread.#last;
  }

  private constructor({ workerFile, ...settings }: ThreadSettings, { probeOnly }: { probeOnly: boolean }) {
    this.#worker = new Worker(workerFile, { workerData: { ...settings, probeOnly }, name: 'pocketsphinx' });
    this.#last = this.#reply();
    this.#last.catch(() => {}); // awaited by whoever uses the thread
    this.#worker.on('message', (reply: Reply) => this.#receive(reply));
    this.#worker.on('error', (error) => this.#break(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#break(new Error(`it exited with code ${code}`));
        resolve();
      });
    });
  }

  get isUsable(): boolean {
    return this.#broken == null;
  }

  /** Forgets what was heard before, so that a recording gives the same text whatever came before it. */
  async reset(): Promise<void> {
    await this.#request({ type: 'reset' });
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

  /** Resolves when no request is under way, whether it succeeded or not. */
  async settled(): Promise<void> {
    await this.#last.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.settled();
    if (this.isUsable) await this.#request({ type: 'close' }).catch(() => {}); // gives the decoder's memory back
    await this.#worker.terminate();
    await this.#exited;
  }

  /** Requests never overlap: each waits for the one before it, even when its caller has given up. */
  #request(request: { type: string; pcm?: Int16Array }): Promise<unknown> {
    const sent = this.settled().then(() => {
      if (this.#broken) throw this.#failure(this.#broken);
      this.#worker.postMessage(request);
      return this.#reply();
    });
    this.#last = sent;
    sent.catch(() => {});
    return sent;
  }

  #reply(): Promise<unknown> {
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  #receive(reply: Reply): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (reply.type === 'ready') return waiting?.resolve(undefined);
    if (reply.type === 'done') return waiting?.resolve(reply.value);
    if (reply.type === 'failed') this.#broken ??= new Error(reply.message);
    waiting?.reject(reply.type === 'failed' ? this.#failure(new Error(reply.message)) : unavailable(reply));
  }

  #break(cause: Error): void {
    this.#broken ??= cause;
    this.#waiting?.reject(this.#failure(this.#broken));
    this.#waiting = undefined;
  }

  #failure(cause: Error): TranscriberFailedError {
    return new TranscriberFailedError(`The PocketSphinx thread cannot go on: ${cause.message}`, { cause });
  }
}

function unavailable({ part, detail }: { part: string; detail: string }): EngineUnavailableError {
  const help =
    part === 'koffi' ? 'Run npm ci again without omitting optional dependencies.' : `Install with: ${INSTALL_COMMAND}`;
  return new EngineUnavailableError(`PocketSphinx cannot load ${part} (${detail.trim()}). ${help}`);
}
