import { execFile } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { programEnvironment } from '../../../platform/environment';
import { findRoutes, fingerprintOf, readModes, type Mode } from './apertium-modes';
import { ApertiumPipe } from './apertium-pipe';
import { fromStream, restoreCase, toStream } from './apertium-text';
import {
  TranslatorError,
  type Probe,
  type TranslateRequest,
  type TranslateResult,
  type Translator,
  type TranslatorPair,
} from './translator';

export interface ApertiumOptions {
  /** Where `*.mode` files may be; the first directory that exists is used. */
  modeDirectories: readonly string[];
  /** Per text in the engine, plus 1 ms per character. Default 5,000. */
  deadlineMs?: number;
  /** After this long without a text the processes of a pair end (about 110 MB each). Default 5 minutes. */
  idleMs?: number;
  /**
   * Pairs kept warm at once; a further pair ends the processes of an idle one. Default 12: listeners of one speaker in ten
   * languages need ten in turn. With fewer each of them would be started anew for every sentence, which took over a second
   * instead of 25 ms.
   */
  maxWarmPairs?: number;
}

const INSTALL = 'apt-get install apertium apertium-eng-spa';
const MAX_CHARACTERS = 100_000;

/**
 * Apertium, rule-based and local: the programs of each pair stay warm and answer a sentence in about 2 ms. Nothing is
 * started before the first text of a pair. Quality is "gist" for English, good between Romance neighbours.
 */
export class ApertiumTranslator implements Translator {
  readonly info = { id: 'apertium', local: true, maxCharacters: MAX_CHARACTERS };
  readonly #options: Required<ApertiumOptions>;
  /** By mode name, least recently used first. */
  readonly #pipes = new Map<string, ApertiumPipe>();
  #modes: readonly Mode[] = [];
  #pairs: readonly TranslatorPair[] = [];

  constructor(options: ApertiumOptions) {
    this.#options = { deadlineMs: 5_000, idleMs: 300_000, maxWarmPairs: 12, ...options };
    this.#readInstalledPairs();
  }

  async probe(): Promise<Probe> {
    this.#readInstalledPairs();
    const { modeDirectories } = this.#options;
    if (!modeDirectories.some((directory) => existsSync(directory))) {
      return {
        available: false,
        reason: `Apertium is not installed (no ${modeDirectories.join(' or ')}). Run: ${INSTALL}`,
      };
    }
    if (this.#modes.length === 0)
      return { available: false, reason: `Apertium has no language pair installed. Run: ${INSTALL}` };
    const missing = await missingPrograms(this.#modes);
    if (missing.length > 0)
      return { available: false, reason: `Apertium lacks ${missing.join(', ')}. Run: ${INSTALL}` };
    return { available: true };
  }

  pairs(): readonly TranslatorPair[] {
    return this.#pairs;
  }

  /** A fingerprint of the installed language data, which decides the texts; updates of the programs do not. */
  async version({ route }: TranslatorPair): Promise<string> {
    const legs = route.slice(1).map((target, index) => this.#modeOf(route[index]!, target));
    return fingerprintOf(legs);
  }

  async translate({ texts, source, target, signal }: TranslateRequest): Promise<TranslateResult> {
    const pair = this.#pairs.find((candidate) => candidate.source === source && candidate.target === target);
    if (!pair)
      throw new TranslatorError('PAIR_UNSUPPORTED', `Apertium cannot translate from "${source}" to "${target}".`);
    const tooLong = texts.find((text) => text.length > MAX_CHARACTERS);
    if (tooLong)
      throw new TranslatorError(
        'TEXT_TOO_LONG',
        `A text must have at most ${MAX_CHARACTERS} characters; got ${tooLong.length}.`,
      );

    const firstFailure = new AbortController();
    const anyEnd = signal ? AbortSignal.any([signal, firstFailure.signal]) : firstFailure.signal;
    setMaxListeners(0, anyEnd); // one for each text
    try {
      const answers = await Promise.all(texts.map((text) => this.#translateText(text, pair.route, anyEnd)));
      return {
        texts: answers.map(({ text }) => text),
        unknownWords: answers.map(({ unknownWords }) => unknownWords),
      };
    } finally {
      firstFailure.abort(); // texts still waiting when another one failed are not worth translating
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#pipes.values()].map((pipe) => pipe[Symbol.asyncDispose]()));
    this.#pipes.clear();
  }

  async #translateText(
    text: string,
    route: readonly string[],
    signal: AbortSignal,
  ): Promise<{ text: string; unknownWords: string[] }> {
    const [, before, core, after] = /^(\s*)(.*?)(\s*)$/su.exec(text)!;
    if (!core) return { text, unknownWords: [] };
    const unknownWords = new Set<string>();
    let translation = core;
    for (const [index, target] of route.slice(1).entries()) {
      const answer = fromStream(await this.#pipeFor(route[index]!, target).run(toStream(translation), signal));
      translation = restoreCase(answer.text, translation, target);
      answer.unknownWords.forEach((word) => unknownWords.add(word));
    }
    return { text: `${before}${translation}${after}`, unknownWords: [...unknownWords] };
  }

  #pipeFor(source: string, target: string): ApertiumPipe {
    const mode = this.#modeOf(source, target);
    const pipe = this.#pipes.get(mode.name) ?? new ApertiumPipe({ ...this.#options, stages: mode.stages });
    this.#pipes.delete(mode.name);
    this.#pipes.set(mode.name, pipe);
    const warm = [...this.#pipes.values()].filter(
      (candidate) => candidate.processGroup !== undefined && candidate !== pipe,
    );
    if (warm.length >= this.#options.maxWarmPairs) void warm.find((candidate) => candidate.isIdle)?.stop();
    return pipe;
  }

  #modeOf(source: string, target: string): Mode {
    return this.#modes.find((candidate) => candidate.source === source && candidate.target === target)!;
  }

  #readInstalledPairs(): void {
    this.#modes = readModes(this.#options.modeDirectories);
    this.#pairs = findRoutes(this.#modes);
  }
}

/** The programs named by the modes that the shell does not find. */
async function missingPrograms(modes: readonly Mode[]): Promise<string[]> {
  const programs = [...new Set(modes.flatMap((mode) => mode.stages.map((stage) => stage.split(/\s/)[0]!)))];
  const script = 'for program do command -v "$program" >/dev/null || echo "$program"; done; true';
  const { stdout } = await promisify(execFile)('sh', ['-c', script, 'sh', ...programs], { env: programEnvironment() });
  return stdout.split('\n').filter((line) => line !== '');
}
