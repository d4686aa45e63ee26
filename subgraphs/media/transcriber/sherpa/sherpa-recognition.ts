import { orAborted } from '../../../../platform/or-aborted';
import { segmentOf } from '../timed-words';
import {
  PCM_SAMPLE_RATE_HZ,
  TranscriberFailedError,
  type RecognizedSegment,
  type TranscribeOptions,
  type TranscriberInfo,
  type Word,
} from '../transcriber';
import { whisperCode, whisperLanguage } from '../whisper-languages';
import type { ModelFiles } from './model-files';
import { CLUSTERING, recognizerOf } from './sherpa-models';
import type { SherpaProcess, SherpaResult } from './sherpa-process';
import { segmentsBySpeaker, wordsOf } from './sherpa-text';
import { utterancesByLoudness, utterancesByModel, type Utterance } from './utterances';

/** To tell speakers apart all audio is held in memory at once: about 230 MB for each hour. */
const MAX_DIARIZED_MS = 4 * 3_600_000;
const SAMPLES_PER_MS = PCM_SAMPLE_RATE_HZ / 1_000;

interface Model {
  found: ModelFiles;
  info: TranscriberInfo;
  threads: number;
}

/** One recording on its way through a process. */
export class SherpaRecognition {
  readonly #startMs: number;
  #keptMs = 0;

  constructor(
    private readonly sherpa: SherpaProcess,
    private readonly model: Model,
    private readonly options: TranscribeOptions,
  ) {
    this.#startMs = options.startMs ?? 0;
  }

  /** The segments in order, each as soon as its utterance has ended; with `speakers`, all of them at the end. */
  async *segments(pcm: AsyncIterable<Int16Array>): AsyncGenerator<RecognizedSegment> {
    const { speakers } = this.options;
    await this.#configure(this.#language());
    await this.#await(this.sherpa.forget());
    const all: { words: Word[]; language: string }[] = [];
    for await (const utterance of this.#utterances(speakers ? this.#keeping(pcm) : pcm)) {
      const { words, language } = await this.#recognize(utterance);
      const segment = segmentOf(words, { index: 0, language, confidence: null });
      if (segment && !speakers) yield segment;
      else if (segment) all.push({ words, language });
    }
    if (all.length > 0) yield* await this.#bySpeaker(all, speakers?.max);
  }

  #utterances(pcm: AsyncIterable<Int16Array>): AsyncIterable<Utterance> {
    return this.model.found.vad === null
      ? utterancesByLoudness(pcm)
      : utterancesByModel(this.sherpa, pcm, this.options.signal);
  }

  async *#keeping(pcm: AsyncIterable<Int16Array>): AsyncGenerator<Int16Array> {
    for await (const samples of pcm) {
      this.#keptMs += samples.length / SAMPLES_PER_MS;
      if (this.#keptMs > MAX_DIARIZED_MS) throw tooLong();
      await this.#await(this.sherpa.keep(samples));
      yield samples;
    }
  }

  async #recognize({ startMs, samples }: Utterance): Promise<{ words: Word[]; language: string }> {
    const heard = await this.#decode(samples);
    const from = this.#startMs + Math.round(startMs);
    const utterance = { startMs: from, endMs: from + Math.floor(samples.length / SAMPLES_PER_MS) };
    return { words: wordsOf(heard, { utterance, hasTimes: this.model.info.wordTimes }), language: this.#spoken(heard) };
  }

  /** What is detected outside of the languages that may be spoken is recognized again as the first of them. */
  async #decode(samples: Int16Array | Float32Array): Promise<SherpaResult> {
    const heard = await this.#await(this.sherpa.decode(samples));
    const { languages = [] } = this.options;
    const detected = whisperLanguage(heard.lang);
    const isAllowed =
      languages.length === 0 || detected === null || languages.some((tag) => whisperCode(tag) === detected);
    if (this.#language() !== undefined || isAllowed) return heard;
    await this.#configure(languages[0]);
    const again = await this.#await(this.sherpa.decode(samples));
    await this.#configure(undefined);
    return { ...again, lang: languages[0]! };
  }

  /** What is spoken, if it is known before. */
  #language(): string | undefined {
    const { language, languages = [] } = this.options;
    if (language !== undefined) return language;
    if (languages.length === 1) return languages[0];
    return this.model.info.detectsLanguage ? undefined : this.model.info.languages[0];
  }

  #spoken({ lang }: SherpaResult): string {
    return this.#language() ?? whisperLanguage(lang) ?? 'und';
  }

  async #bySpeaker(all: readonly { words: Word[]; language: string }[], max?: number): Promise<RecognizedSegment[]> {
    const turns = await this.#await(this.sherpa.diarize(max, CLUSTERING));
    return all.flatMap(({ words, language }) => segmentsBySpeaker(words, turns, this.#startMs, language));
  }

  async #configure(language: string | undefined): Promise<void> {
    const { found, threads } = this.model;
    await this.#await(this.sherpa.configure(recognizerOf(found, threads, language)));
  }

  #await<Value>(work: Promise<Value>): Promise<Value> {
    return orAborted(work, this.options.signal);
  }
}

function tooLong(): TranscriberFailedError {
  const hours = MAX_DIARIZED_MS / 3_600_000;
  const message = `sherpa-onnx tells speakers apart in recordings of up to ${hours} hours.`;
  return new TranscriberFailedError(message, { retryable: false });
}
