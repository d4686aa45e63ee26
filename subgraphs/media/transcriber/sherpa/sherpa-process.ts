import path from 'node:path';
import { repositoryRoot } from '../../../../platform/root';
import { EngineProcess } from '../engine-process';
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

/** The largest Whisper models need about 4 GB; more than this is a fault that must not take the machine with it. */
const MEMORY_BYTES = 8 * 1024 ** 3;
/** No utterance of 20 s takes longer, on any model worth having; telling speakers apart may. */
const ANSWER_LIMIT_MS = 300_000;
const DIARIZATION_LIMIT_MS = 3_600_000;

/** sherpa-onnx with its models loaded, in an {@link EngineProcess}: a broken model or too little memory ends that, not ours. */
export class SherpaProcess implements Pooled {
  private constructor(
    private readonly engine: EngineProcess,
    private configuration: string,
  ) {}

  /** Loads the models. Throws EngineUnavailableError when the library or a model cannot be loaded. */
  static async open(models: SherpaModels): Promise<SherpaProcess> {
    const engine = start();
    try {
      const problem = (await engine.request({ type: 'open', models })) as Unavailable | null;
      if (problem !== null) throw unavailable(problem, engine.complaint);
      return new SherpaProcess(engine, JSON.stringify(models.recognizer));
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      // ONNX Runtime ends the process over some broken models instead of saying so.
      if (error instanceof TranscriberFailedError)
        throw unavailable({ unavailable: 'model', detail: error.message }, '');
      throw error;
    }
  }

  get isUsable(): boolean {
    return this.engine.isUsable;
  }

  get pid(): number | undefined {
    return this.engine.pid;
  }

  async forget(): Promise<void> {
    await this.engine.request({ type: 'forget' });
  }

  async configure(recognizer: object): Promise<void> {
    const wanted = JSON.stringify(recognizer);
    if (wanted === this.configuration) return;
    await this.engine.request({ type: 'configure', recognizer });
    this.configuration = wanted;
  }

  /** The utterances that have ended in the audio so far, by the model's voice detector. */
  async find(pcm: Int16Array, isEnd: boolean): Promise<FoundUtterance[]> {
    return (await this.engine.request({ type: 'find', pcm, isEnd })) as FoundUtterance[];
  }

  async decode(samples: Int16Array | Float32Array): Promise<SherpaResult> {
    return (await this.engine.request({ type: 'decode', samples })) as SherpaResult;
  }

  /** Keeps audio for {@link diarize}. */
  async keep(pcm: Int16Array): Promise<void> {
    await this.engine.request({ type: 'keep', pcm });
  }

  /** Who speaks when in what was kept, which is forgotten. */
  async diarize(max: number | undefined, clustering: object): Promise<SpeakerTurn[]> {
    return (await this.engine.request({ type: 'diarize', max, clustering }, DIARIZATION_LIMIT_MS)) as SpeakerTurn[];
  }

  settled(): Promise<void> {
    return this.engine.settled();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.engine[Symbol.asyncDispose]();
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
function start(): EngineProcess {
  const file = path.join(repositoryRoot(), 'subgraphs/media/transcriber/sherpa/child.cjs');
  const child = startChild(file, { maxMemoryBytes: MEMORY_BYTES });
  return new EngineProcess(child, { name: 'sherpa-onnx', answerLimitMs: ANSWER_LIMIT_MS });
}
