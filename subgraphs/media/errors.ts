import { UserProblemError } from '../../platform/errors';

/** What can go wrong in this slice, as it appears in `UserError.code` and `JobError.code`. */
export type MediaProblemCode =
  | 'INVALID_INPUT'
  | 'INVALID_STATE'
  | 'CONFLICT'
  | 'NOT_FOUND'
  | 'TYPE_NOT_ALLOWED'
  | 'UNSUPPORTED'
  | 'ENGINE_UNAVAILABLE'
  | 'ENGINE_BUSY'
  | 'LANGUAGE_PAIR_UNSUPPORTED'
  | 'INSUFFICIENT_STORAGE'
  | 'NO_SPEECH'
  | 'INSUFFICIENT_CREDITS'
  | 'INTERNAL';

/** A problem with what a mutation was given; `path` leads from its `input` to the argument. */
export function inputProblem(
  code: MediaProblemCode,
  message: string,
  ...path: string[]
): UserProblemError<MediaProblemCode> {
  return new UserProblemError({ code, message, path: ['input', ...path] });
}
