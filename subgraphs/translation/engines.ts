import { UserProblemError } from '../../platform/errors';
import { CallsUnderWay } from './calls-under-way';
import type { TranslationProblemCode } from './errors';
import { isSameLanguage, lookUpTag, nameOf } from './languages';
import { textOfKey, type CachedTranslation, type TranslationCache } from './translation-cache';
import {
  TranslatorError,
  type Probe,
  type TranslateRequest,
  type Translator,
  type TranslatorPair,
} from './translator/translator';

export interface Translated {
  text: string;
  /** The language it is in. */
  language: string;
  /** Null when nothing had to be translated. */
  engine: string | null;
  origin: 'ENGINE' | 'CACHE' | 'UNCHANGED';
  unknownWords: string[];
}

export interface EngineState {
  id: string;
  available: boolean;
  reason: string | null;
  local: boolean;
  maxCharacters: number;
  pairs: TranslatorPair[];
}

/** An engine is looked at again after this long, so that one installed meanwhile is found without a restart. */
const PROBE_AGE_MS = 5_000;
const RETRY_AFTER_MS = 2_000;
const MAX_LISTED = 40;

/** The translation engines in order of preference: picks one for a pair and remembers what it answered. */
export class Engines {
  private probed: { atMs: number; answers: Promise<Probe[]> } | undefined;
  private readonly underWay = new CallsUnderWay();

  constructor(
    private readonly translators: readonly Translator[],
    private readonly cache: TranslationCache,
  ) {}

  /** What each engine can do, as seen at most 5 seconds ago. */
  async states(): Promise<EngineState[]> {
    const probes = await this.probe();
    return this.translators.map((translator, index) => {
      const probe = probes[index]!;
      const reason = probe.available ? null : probe.reason;
      return {
        ...translator.info,
        available: probe.available,
        reason,
        pairs: probe.available ? [...translator.pairs()] : [],
      };
    });
  }

  /** Every pair that some engine translates now. */
  async pairs(): Promise<TranslatorPair[]> {
    return (await this.states()).flatMap(({ pairs }) => pairs);
  }

  /**
   * Translates texts of one language, answering in the same order. Regions are dropped where an engine does not know
   * them (`en-US` is read as `en`); a text already in the target language comes back as it is. However many ask for a
   * text at the same moment, it is one engine call, which ends early only when all of them have gone. Throws the problems
   * LANGUAGE_PAIR_UNSUPPORTED and ENGINE_UNAVAILABLE, or the signal's reason when it aborts.
   */
  async translate({ texts, source, target, signal }: TranslateRequest): Promise<Translated[]> {
    const choice = await this.choose(source, target);
    if (choice === 'same') return texts.map((text) => unchanged(text, target));

    const { translator, pair } = choice;
    const engine = translator.info.id;
    const keyOf = (text: string) => ({ engine, source: pair.source, target: pair.target, text });
    const known = new Map(texts.map((text) => [text, this.cache.get(keyOf(text))]));
    const fresh = await this.underWay.translate({
      texts: [...known.keys()].filter((text) => !known.get(text)),
      keyOf: (text) => textOfKey(keyOf(text)),
      call: async (fresh, left) => {
        const answers = await this.run(translator, { ...pair, texts: fresh, signal: left });
        for (const [text, translation] of answers) this.cache.set(keyOf(text), translation);
        return answers;
      },
      signal,
    });
    return texts.map((text) => {
      const origin = known.get(text) ? 'CACHE' : 'ENGINE';
      const { text: translated, unknownWords } = (known.get(text) ?? fresh.get(text))!;
      return { text: translated, language: pair.target, engine, origin, unknownWords };
    });
  }

  /** The language that translations of this pair would be in, without one. Throws like {@link translate}. */
  async languageOf(source: string, target: string): Promise<string> {
    const choice = await this.choose(source, target);
    return choice === 'same' ? target : choice.pair.target;
  }

  /**
   * Which engine translates from one language to another here and now, and its version for this pair; null when nothing
   * has to be translated. Throws like {@link translate}.
   */
  async engineFor(source: string, target: string): Promise<{ engine: string; engineVersion: string } | null> {
    const choice = await this.choose(source, target);
    if (choice === 'same') return null;
    const { translator, pair } = choice;
    return { engine: translator.info.id, engineVersion: await translator.version(pair) };
  }

  private async run(translator: Translator, request: TranslateRequest): Promise<Map<string, CachedTranslation>> {
    try {
      const { texts, unknownWords } = await translator.translate(request);
      return new Map(
        request.texts.map((text, index) => [text, { text: texts[index]!, unknownWords: unknownWords[index]! }]),
      );
    } catch (error) {
      throw error instanceof TranslatorError ? await this.engineProblem(error, translator) : error;
    }
  }

  /** An engine that failed tells why it cannot work, if it cannot; otherwise trying again may help. */
  private async engineProblem(error: TranslatorError, translator: Translator): Promise<Error> {
    if (error.code === 'TEXT_TOO_LONG') return problem({ code: 'INVALID_INPUT', message: error.message }, error);
    const probe = await translator.probe();
    if (!probe.available) return problem({ code: 'ENGINE_UNAVAILABLE', message: probe.reason }, error);
    return problem({ code: 'ENGINE_UNAVAILABLE', message: error.message, retryAfterMs: RETRY_AFTER_MS }, error);
  }

  private async choose(
    source: string,
    target: string,
  ): Promise<{ translator: Translator; pair: TranslatorPair } | 'same'> {
    const find = () =>
      this.translators
        .map((translator) => ({ translator, pair: findPair(translator.pairs(), source, target) }))
        .find(({ pair }) => pair);
    if (!find() && isSameLanguage(source, target)) return 'same';
    if (!find()) await this.probe();
    const { translator, pair } = find() ?? {};
    if (translator && pair) return { translator, pair };

    const states = await this.states();
    if (states.every(({ available }) => !available)) {
      const message = states.map(({ reason }) => reason).join(' ') || 'No translation engine is installed.';
      throw problem({ code: 'ENGINE_UNAVAILABLE', message });
    }
    throw problem({
      code: 'LANGUAGE_PAIR_UNSUPPORTED',
      message: describeUnsupported(
        states.flatMap(({ pairs }) => pairs),
        source,
        target,
      ),
    });
  }

  private probe(): Promise<Probe[]> {
    if (!this.probed || performance.now() - this.probed.atMs > PROBE_AGE_MS) {
      this.probed = {
        atMs: performance.now(),
        answers: Promise.all(this.translators.map((translator) => translator.probe())),
      };
    }
    return this.probed.answers;
  }
}

/** What is in the target language already, or has nothing in it to translate. */
export function unchanged(text: string, language: string): Translated {
  return { text, language, engine: null, origin: 'UNCHANGED', unknownWords: [] };
}

function findPair(pairs: readonly TranslatorPair[], source: string, target: string): TranslatorPair | undefined {
  const from = lookUpTag(source, new Set(pairs.map((pair) => pair.source)));
  const into = lookUpTag(target, new Set(pairs.filter((pair) => pair.source === from).map((pair) => pair.target)));
  return pairs.find((pair) => pair.source === from && pair.target === into);
}

function describeUnsupported(pairs: readonly TranslatorPair[], source: string, target: string): string {
  const from = lookUpTag(source, new Set(pairs.map((pair) => pair.source)));
  const message = `No engine here translates from ${named(source)} to ${named(target)}.`;
  if (from)
    return `${message} From ${named(from)} it is possible to: ${list(pairs.filter((pair) => pair.source === from).map((pair) => pair.target))}.`;
  return `${message} Translation is possible from: ${list(pairs.map((pair) => pair.source))}.`;
}

function list(tags: readonly string[]): string {
  const names = [...new Set(tags)].sort().map(named);
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more (see \`languages\`)` : '';
  return names.slice(0, MAX_LISTED).join(', ') + more;
}

function named(tag: string): string {
  return `${nameOf(tag)} (${tag})`;
}

function problem(
  what: { code: TranslationProblemCode; message: string; retryAfterMs?: number },
  cause?: unknown,
): Error {
  return new UserProblemError(what, { cause });
}
