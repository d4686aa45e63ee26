import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from '../../../../platform/root';
import type { Pooled } from '../pool';
import { startChild } from '../start-child';
import { EngineUnavailableError, TranscriberFailedError } from '../transcriber';
import type { SherpaModels } from './sherpa-models';

/** Times are seconds from the beginning of the utterance; the library leaves out what a model does not tell. */
export interface SherpaResult {
  text: string;
  tokens: string[];
  timestamps: number[];
  durations: number[];
  lang: string;
}

export interface FoundUtterance {
  startMs: number;
  samples: Float32Array;
}

/** Who speaks from when to when, in seconds. */
export interface SpeakerTurn {
  start: number;
  end: number;
  speaker: number;
}

type Reply = { value: unknown } | { failed: string };

/** The largest Whisper models need about 4 GB; more than this is a fault that must not take the machine with it. */
const MEMORY_BYTES = 8 * 1024 ** 3;
/** No utterance of 20 s takes longer, on any model worth having; telling speakers apart may. */
const ANSWER_LIMIT_MS = 300_000;
const DIARIZATION_LIMIT_MS = 3_600_000;
/** How long a request that nobody waits for any more may go on before its process is killed. */
const LEFT_LIMIT_MS = 500;
const STDERR_KEPT_CHARACTERS = 2_000;

/**
 * sherpa-onnx with its models loaded, in a process of its own: a broken model or too little memory ends the process, not
 * ours. It dies with us. Requests are answered one after the other. Once broken it stays broken.
 */
export class SherpaProcess implements Pooled {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #broken: Error | undefined;
  #stderr = '';
  #configuration: string;

  /** Loads the models. Throws EngineUnavailableError when the library or a model cannot be loaded. */
  static async open(models: SherpaModels): Promise<SherpaProcess> {
    const opened = new SherpaProcess(JSON.stringify(models.recognizer));
    try {
      const problem = (await opened.#request({ type: 'open', models })) as Unavailable | null;
      if (problem !== null) throw unavailable(problem, opened.#complaint());
      return opened;
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      // ONNX Runtime ends the process over some broken models instead of saying so.
      if (error instanceof TranscriberFailedError)
        throw unavailable({ unavailable: 'model', detail: error.message }, '');
      throw error;
    }
  }

  private constructor(configuration: string) {
    this.#configuration = configuration;
    this.#child = start();
    this.#child.on('message', (reply: Reply) => this.#receive(reply));
    this.#child.on('error', (error) => this.#break(error));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT_CHARACTERS);
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#break(new Error(`it ended with ${signal ?? `code ${code}`}. ${this.#complaint()}`.trim()));
        resolve();
      });
    });
  }

  get isUsable(): boolean {
    return this.#broken === undefined;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async forget(): Promise<void> {
    await this.#request({ type: 'forget' });
  }

  async configure(recognizer: object): Promise<void> {
    const wanted = JSON.stringify(recognizer);
    if (wanted === this.#configuration) return;
    await this.#request({ type: 'configure', recognizer });
    this.#configuration = wanted;
  }

  /** The utterances that have ended in the audio so far, by the model's voice detector. */
  async find(pcm: Int16Array, isEnd: boolean): Promise<FoundUtterance[]> {
    return (await this.#request({ type: 'find', pcm, isEnd })) as FoundUtterance[];
  }

  async decode(samples: Int16Array | Float32Array): Promise<SherpaResult> {
    return (await this.#request({ type: 'decode', samples })) as SherpaResult;
  }

  /** Keeps audio for {@link diarize}. */
  async keep(pcm: Int16Array): Promise<void> {
    await this.#request({ type: 'keep', pcm });
  }

  /** Who speaks when in what was kept, which is forgotten. */
  async diarize(max: number | undefined, clustering: object): Promise<SpeakerTurn[]> {
    return (await this.#request({ type: 'diarize', max, clustering }, DIARIZATION_LIMIT_MS)) as SpeakerTurn[];
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

  /** Requests never overlap: each waits for the one before it, even when its caller has given up. */
  #request(request: { type: string } & Record<string, unknown>, limitMs = ANSWER_LIMIT_MS): Promise<unknown> {
    const sent = this.#last.catch(() => {}).then(() => this.#ask(request, limitMs));
    this.#last = sent;
    sent.catch(() => {});
    return sent;
  }

  async #ask(request: object, limitMs: number): Promise<unknown> {
    if (this.#broken) throw this.#failure(this.#broken);
    const timer = setTimeout(() => this.#kill(new Error('it does not answer')), limitMs);
    try {
      const reply = await new Promise<Reply>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        this.#child.send(request, (error) => error && this.#break(error));
      });
      if (!('failed' in reply)) return reply.value;
      this.#broken ??= new Error(reply.failed);
      throw this.#failure(this.#broken);
    } finally {
      clearTimeout(timer);
    }
  }

  #receive(reply: Reply): void {
    this.#waiting?.resolve(reply);
    this.#waiting = undefined;
  }

  #kill(cause: Error): void {
    this.#break(cause);
    this.#child.kill('SIGKILL');
  }

  #break(cause: Error): void {
    this.#broken ??= cause;
    this.#waiting?.reject(this.#failure(this.#broken));
    this.#waiting = undefined;
  }

  #failure(cause: Error): TranscriberFailedError {
    return new TranscriberFailedError(`The process of sherpa-onnx cannot go on: ${cause.message}`, { cause });
  }

  /** The last thing that it said, without the folders in front of file names. */
  #complaint(): string {
    const last = this.#stderr.trim().split('\n').at(-1) ?? '';
    return last.replace(/(\/[^\s/:']+)+\//g, '').slice(0, 200);
  }
}

interface Unavailable {
  unavailable: 'library' | 'model';
  detail: string;
}

function unavailable({ unavailable: part, detail }: Unavailable, complaint: string): EngineUnavailableError {
  const why = [detail, complaint].filter((text) => text !== '').join(' ');
  return new EngineUnavailableError(
    part === 'library' ? `${NO_LIBRARY} (${why})` : `sherpa-onnx cannot load the model in SPEECH_MODEL_DIR (${why}).`,
  );
}

/** What to do when the library is not there. */
export const NO_LIBRARY =
  'The library sherpa-onnx-node is not installed: run npm ci without omitting optional dependencies.';

/** The child's file is read from the repository in every mode: the build does not copy JavaScript. */
function start(): ChildProcess {
  const file = path.join(repositoryRoot(), 'subgraphs/media/transcriber/sherpa/child.cjs');
  return startChild(file, { maxMemoryBytes: MEMORY_BYTES });
}
