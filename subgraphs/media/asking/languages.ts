import { UserProblemError } from '../../../platform/errors';
import type { MediaProblemCode } from '../errors';
import type { TextTranslator } from '../translating/text-translator';

const MAX_LANGUAGES = 10;

/** The languages to translate into, repeated ones once. Throws INVALID_INPUT when there are none or too many. */
export function checkedLanguages(to: readonly string[], path: string[]): string[] {
  const languages = [...new Set(to)];
  if (languages.length >= 1 && languages.length <= MAX_LANGUAGES) return languages;
  throw problem('INVALID_INPUT', `Give 1 to ${MAX_LANGUAGES} languages; these are ${languages.length}.`, path);
}

/**
 * Why one of these translations cannot be made here and now, or null: INVALID_INPUT for the language itself,
 * LANGUAGE_PAIR_UNSUPPORTED, ENGINE_UNAVAILABLE. Answered, not thrown, because it is none of a call that is repeated.
 */
export async function translationProblem(
  translator: TextTranslator,
  from: string,
  languages: readonly string[],
  path: string[],
): Promise<UserProblemError | null> {
  for (const [index, to] of languages.entries()) {
    const place = [...path, String(index)];
    try {
      if (await translator.engineFor({ from, to })) continue;
      return problem('INVALID_INPUT', `What is said is in "${from}" already; "${to}" is the same language.`, place);
    } catch (error) {
      if (!(error instanceof UserProblemError)) throw error;
      return new UserProblemError({ ...error.problem, path: place }, { cause: error });
    }
  }
  return null;
}

function problem(code: MediaProblemCode, message: string, path: string[]): UserProblemError<MediaProblemCode> {
  return new UserProblemError({ code, message, path });
}
