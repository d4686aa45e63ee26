import { UserProblemError } from '../../platform/errors';
import type { MediaProblemCode } from './errors';
import { EngineUnavailableError, UnsupportedLanguageError } from './transcriber/transcriber';
import type { Transcribers } from './transcribers';

export interface RecognitionOptions {
  language?: string | null | undefined;
  engine?: string | null | undefined;
}

/** How a transcript will be made; decided before anything is written. */
export interface RecognitionPlan {
  engine: string;
  /** BCP 47 tag. */
  language: string;
}

/**
 * The engine and language that serve these wishes here and now, or why there are none: UNSUPPORTED when no engine
 * understands the language, ENGINE_UNAVAILABLE, with what to install, when those that do cannot work. The problem is
 * answered, not thrown, because it is none of a call that was made before and is repeated: see {@link orThrow}.
 */
export async function planRecognition(
  transcribers: Transcribers,
  { language, engine }: RecognitionOptions,
  path: string[],
): Promise<RecognitionPlan | UserProblemError> {
  try {
    const { info } = await transcribers.choose({
      ...(language == null ? {} : { language }),
      ...(engine == null ? {} : { engineId: engine }),
    });
    return { engine: info.id, language: language ?? info.languages[0]! };
  } catch (error) {
    if (error instanceof UnsupportedLanguageError) return problem('UNSUPPORTED', error, [...path, 'language']);
    if (error instanceof EngineUnavailableError) return problem('ENGINE_UNAVAILABLE', error, path);
    throw error;
  }
}

/** The plan, once it is known that the call is none that was made before. */
export function orThrow<Plan extends RecognitionPlan | null>(plan: Plan | UserProblemError): Plan {
  if (plan instanceof UserProblemError) throw plan;
  return plan;
}

function problem(code: MediaProblemCode, cause: Error, path: string[]): UserProblemError<MediaProblemCode> {
  return new UserProblemError({ code, message: cause.message, path }, { cause });
}
