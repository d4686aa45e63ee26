import { UserProblemError } from '../../platform/errors';
import type { MediaProblemCode } from './errors';
import { checkedWishes, type RecognitionOptions } from './transcription/recognition-options';
import type { RecognitionPlan, RecognitionWishes } from './transcription/recognition-plan';
import { EngineUnavailableError, UnsupportedLanguageError, UnsupportedOptionError } from './transcriber/transcriber';
import type { WantedRecognition } from './transcriber/transcribers';
import type { Transcribers } from './transcribers';

export type { RecognitionOptions, RecognitionPlan };

/**
 * The engine that serves these wishes here and now, or why there is none: UNSUPPORTED when no engine understands the
 * language or can do what is asked for, ENGINE_UNAVAILABLE, with what to install, when those that do cannot work. These
 * problems are answered, not thrown, because they are none of a call that was made before and is repeated: see
 * {@link orThrow}. With `streaming` only engines that recognize while people speak. Throws INVALID_INPUT for options that
 * contradict each other or are out of bounds.
 */
export async function planRecognition(
  transcribers: Transcribers,
  options: RecognitionOptions,
  path: string[],
  { streaming = false }: { streaming?: boolean } = {},
): Promise<RecognitionPlan | UserProblemError> {
  const wishes = checkedWishes(options, path);
  const engineId = options.engine ?? undefined;
  return planFor(transcribers, wishes, { ...wantedFor(wishes, engineId), streaming }, path);
}

/** The plan of the same request as it would be made here and now; see {@link planRecognition}. */
export function planAgain(
  transcribers: Transcribers,
  { engine, pinned, ...wishes }: RecognitionPlan,
  path: string[],
): Promise<RecognitionPlan | UserProblemError> {
  return planFor(transcribers, wishes, wantedFor(wishes, pinned ? engine : undefined), path);
}

async function planFor(
  transcribers: Transcribers,
  wishes: RecognitionWishes,
  wanted: WantedRecognition,
  path: string[],
): Promise<RecognitionPlan | UserProblemError> {
  try {
    const { info } = await transcribers.choose(wanted);
    // An engine that cannot find out what is spoken assumes its own language.
    const language = wishes.language ?? (info.detectsLanguage ? null : (info.languages[0] ?? null));
    return { ...wishes, language, engine: info.id, pinned: wanted.engineId !== undefined };
  } catch (error) {
    if (error instanceof UnsupportedLanguageError) {
      return problem('UNSUPPORTED', error, [...path, wishes.languages.length > 0 ? 'languages' : 'language']);
    }
    if (error instanceof UnsupportedOptionError) return problem('UNSUPPORTED', error, pathOf(error, path));
    if (error instanceof EngineUnavailableError) return problem('ENGINE_UNAVAILABLE', error, path);
    throw error;
  }
}

/** That speech is recognized while it comes is asked for by the mutation, not by an option. */
function pathOf({ option }: UnsupportedOptionError, path: string[]): string[] {
  return option === 'streaming' ? path : [...path, option];
}

/** What the registry is asked for. */
export function wantedFor(wishes: RecognitionWishes, engineId: string | undefined): WantedRecognition {
  return {
    language: wishes.language ?? undefined,
    languages: wishes.languages,
    engineId,
    keyterms: wishes.keyterms.length,
    grammar: wishes.grammar !== null,
    speakers: wishes.speakers !== null,
  };
}

/** The plan, once it is known that the call is none that was made before. */
export function orThrow<Plan extends RecognitionPlan | null>(plan: Plan | UserProblemError): Plan {
  if (plan instanceof UserProblemError) throw plan;
  return plan;
}

/** What of the options must be equal for a repeated call to be the same call. */
export function sameCallOptions(options: RecognitionOptions): object {
  return { ...checkedWishes(options, []), engine: options.engine ?? null };
}

function problem(code: MediaProblemCode, cause: Error, path: string[]): UserProblemError<MediaProblemCode> {
  return new UserProblemError({ code, message: cause.message, path }, { cause });
}
