import { createRequire } from 'node:module';
import path from 'node:path';
import { repositoryRoot } from '../../../../platform/root';
import { untilAborted } from '../abort';
import { notConfigured } from '../not-configured';
import { Pool } from '../pool';
import { refuseUnsupported } from '../refuse-unsupported';
import {
  EngineUnavailableError,
  type Probe,
  type RecognizedSegment,
  type TranscribeOptions,
  type Transcriber,
} from '../transcriber';
import { findModel, type ModelFiles } from './model-files';
import { sherpaInfo, sherpaInfoWithout } from './sherpa-info';
import { modelsOf } from './sherpa-models';
import { NO_LIBRARY, SherpaProcess } from './sherpa-process';
import { SherpaRecognition } from './sherpa-recognition';

export interface SherpaSettings {
  /** Absolute path of a folder with a model. */
  directory: string;
  /** BCP 47 tags of what the model understands, where its files do not tell. */
  languages: readonly string[];
  /** Threads of one process. */
  threads: number;
}

export interface SherpaOptions {
  /** How many recordings or pieces are recognized at once, each in a process that loads the whole model; default 1. */
  maxProcesses?: number;
}

/** How long a model that could not be loaded is not tried again by a probe. */
const FAILURE_MS = 60_000;

/**
 * sherpa-onnx with a model on disk (`SPEECH_MODEL_DIR`), told by its files; see {@link findModel}. What it can do follows from
 * them: Silero's voice activity, speakers and punctuation are used when their models are there too. The folder is read
 * once, here; models are loaded by the first call, in processes that are kept for the next until disposed.
 */
export function createSherpa(settings: SherpaSettings, { maxProcesses = 1 }: SherpaOptions = {}): Transcriber {
  const search = findModel(settings.directory);
  if ('missing' in search) return notConfigured(sherpaInfoWithout('a model'), search.missing);
  const { found } = search;
  const info = sherpaInfo(found, settings, maxProcesses);
  const loading = new Loading(found, settings.threads);
  const pool = new Pool({ limit: maxProcesses, open: () => loading.open() });
  return {
    info,
    probe: async () => loading.probe(),
    async *transcribe(pcm, options) {
      refuseUnsupported(info, options);
      using loan = await pool.acquire(options.signal);
      const recognition = new SherpaRecognition(loan.resource, { found, info, threads: settings.threads }, options);
      yield* numbered(recognition.segments(untilAborted(pcm, options.signal)), options);
    },
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

/** Loads the model, and remembers for a while that it could not. */
class Loading {
  #failed: { reason: string; at: number } | undefined;

  constructor(
    private readonly found: ModelFiles,
    private readonly threads: number,
  ) {}

  async open(): Promise<SherpaProcess> {
    try {
      const opened = await SherpaProcess.open(modelsOf(this.found, this.threads));
      this.#failed = undefined;
      return opened;
    } catch (error) {
      if (error instanceof EngineUnavailableError) this.#failed = { reason: error.message, at: performance.now() };
      throw error;
    }
  }

  /** Does not load the model, which may take long and much memory. */
  probe(): Probe {
    if (this.#failed && performance.now() - this.#failed.at < FAILURE_MS)
      return { available: false, reason: this.#failed.reason };
    return isLibraryInstalled() ? { available: true } : { available: false, reason: NO_LIBRARY };
  }
}

function isLibraryInstalled(): boolean {
  try {
    createRequire(path.join(repositoryRoot(), 'package.json')).resolve('sherpa-onnx-node');
    return true;
  } catch {
    return false;
  }
}

async function* numbered(
  segments: AsyncIterable<RecognizedSegment>,
  { signal }: TranscribeOptions,
): AsyncGenerator<RecognizedSegment, void, undefined> {
  let index = 0;
  for await (const segment of segments) {
    signal.throwIfAborted();
    yield { ...segment, index: index++ };
  }
}
