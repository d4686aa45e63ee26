import { SautiError, UserProblemError } from '../../platform/errors';
import type { Engines, Translated } from './engines';
import type { TranslationProblemCode } from './errors';
import type { LanguageGuess, LanguageIdentifier } from './language-identifier';
import { isSameLanguage, lookUpTag, nameOf } from './languages';

const LIMITS = { texts: 100, charactersPerText: 10_000, charactersInAll: 50_000, candidates: 100 };

/** BCP 47's tag for "undetermined". */
const UNDETERMINED = 'und';

/**
 * When to believe that a text is in a language that cannot be translated, rather than mistaken for it: on 423 sentences
 * and prompts all seven wrong guesses above 0.9 had under 20 letters.
 */
const CONVINCING = { confidence: 0.9, letters: 20 };

export interface TextTranslation extends Omit<Translated, 'language'> {
  sourceText: string;
  sourceLanguage: string;
  detected: boolean;
  targetLanguage: string;
  /** UTF-16 code units of the source text. */
  characters: number;
}

interface TranslateTextsInput {
  texts: readonly string[];
  to: string;
  /** Null or missing: detected for each text. */
  from?: string | null | undefined;
}

/** Translations of texts: what may be asked, in which language a text is, and one engine call per language. */
export class Translations {
  constructor(
    private readonly engines: Engines,
    private readonly identifier: LanguageIdentifier,
  ) {}

  /**
   * Translates each text on its own, all or none, in the given order. Throws INVALID_INPUT (limits, or a language that
   * cannot be detected), LANGUAGE_PAIR_UNSUPPORTED and ENGINE_UNAVAILABLE with the path of what is to blame.
   */
  async translateTexts({ texts, to, ...input }: TranslateTextsInput, signal: AbortSignal): Promise<TextTranslation[]> {
    checkLimits(texts);
    const from = input.from === UNDETERMINED ? null : input.from;
    const sources = from ? texts.map(() => from) : await this.detectSources(texts, to);
    const translated = new Map<number, Translated>();
    await Promise.all(
      [...new Set(sources)].map(async (source) => {
        const places = [...texts.keys()].filter((index) => sources[index] === source);
        const answers = await this.translateSameLanguage(
          places.map((index) => texts[index]!),
          source,
          to,
          signal,
        );
        answers.forEach((answer, position) => translated.set(places[position]!, answer));
      }),
    );
    return texts.map((sourceText, index) => {
      const { language, ...answer } = translated.get(index)!;
      return {
        ...answer,
        sourceText,
        sourceLanguage: sources[index]!,
        detected: !from,
        targetLanguage: language,
        characters: sourceText.length,
      };
    });
  }

  /** See `LanguageIdentifier.identify`. Throws BAD_USER_INPUT for a text or a list of candidates over the limit. */
  async detectLanguage(text: string, candidates: readonly string[] | null): Promise<LanguageGuess[]> {
    if (text.length > LIMITS.charactersPerText) {
      throw new SautiError(
        'BAD_USER_INPUT',
        `text must have at most ${LIMITS.charactersPerText} characters; it has ${text.length}.`,
      );
    }
    if (candidates && candidates.length > LIMITS.candidates) {
      throw new SautiError(
        'BAD_USER_INPUT',
        `candidates must be at most ${LIMITS.candidates}; there are ${candidates.length}.`,
      );
    }
    return this.identifier.identify(text, candidates ?? undefined);
  }

  private async translateSameLanguage(
    texts: string[],
    source: string,
    to: string,
    signal: AbortSignal,
  ): Promise<Translated[]> {
    if (source === UNDETERMINED) {
      return texts.map((text) => ({ text, language: to, engine: null, origin: 'UNCHANGED', unknownWords: [] }));
    }
    try {
      return await this.engines.translate({ texts, source, target: to, signal });
    } catch (error) {
      if (error instanceof UserProblemError && error.problem.code === 'LANGUAGE_PAIR_UNSUPPORTED') {
        throw new UserProblemError({ ...error.problem, path: ['input', 'to'] }, { cause: error });
      }
      throw error;
    }
  }

  /** The language of each text, among those that can be translated into the target and the target itself. */
  private async detectSources(texts: readonly string[], to: string): Promise<string[]> {
    const pairs = await this.engines.pairs();
    const target = lookUpTag(to, new Set(pairs.map((pair) => pair.target))) ?? to;
    const sources = new Set(pairs.filter((pair) => pair.target === target).map((pair) => pair.source));
    const candidates = [...sources].some((source) => isSameLanguage(source, to)) ? [...sources] : [...sources, to];
    // A text too short to tell ("OK") is taken to be in the language of the others.
    const common = (await this.identifier.identify(texts.join('\n'), candidates))[0]?.language;
    return Promise.all(texts.map((text, index) => this.detectSource(text, index, candidates, common)));
  }

  private async detectSource(
    text: string,
    index: number,
    candidates: readonly string[],
    common: string | undefined,
  ): Promise<string> {
    const letters = text.match(/\p{L}/gu)?.length ?? 0;
    if (letters === 0) return UNDETERMINED;
    const path = ['input', 'texts', String(index)];
    const [likeliest] = await this.identifier.identify(text);
    const isForeign = likeliest && !candidates.some((candidate) => isSameLanguage(candidate, likeliest.language));
    if (isForeign && likeliest.confidence >= CONVINCING.confidence && letters >= CONVINCING.letters) {
      const { language } = likeliest;
      throw problem(
        'LANGUAGE_PAIR_UNSUPPORTED',
        `This text seems to be in ${nameOf(language)} (${language}), which can be translated only from: ${candidates.join(', ')}.`,
        path,
      );
    }
    const source = (await this.identifier.identify(text, candidates))[0]?.language ?? common;
    if (source) return source;
    throw problem('INVALID_INPUT', 'The language of this text cannot be detected; say it with "from".', path);
  }
}

function checkLimits(texts: readonly string[]): void {
  const path = ['input', 'texts'];
  if (texts.length < 1 || texts.length > LIMITS.texts) {
    throw problem('INVALID_INPUT', `texts must be 1 to ${LIMITS.texts}; there are ${texts.length}.`, path);
  }
  texts.forEach((text, index) => {
    if (text.length <= LIMITS.charactersPerText) return;
    throw problem(
      'INVALID_INPUT',
      `A text must have at most ${LIMITS.charactersPerText} characters; it has ${text.length}.`,
      [...path, String(index)],
    );
  });
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  if (total > LIMITS.charactersInAll) {
    throw problem(
      'INVALID_INPUT',
      `The texts must have at most ${LIMITS.charactersInAll} characters together; they have ${total}.`,
      path,
    );
  }
}

function problem(
  code: TranslationProblemCode,
  message: string,
  path: string[],
): UserProblemError<TranslationProblemCode> {
  return new UserProblemError({ code, message, path });
}
