import { UserProblemError } from '../../../platform/errors';
import type { UsersProblemCode } from '../errors';

/** A problem with one field of a mutation's input. */
export function problem(code: UsersProblemCode, message: string, field: string): UserProblemError<UsersProblemCode> {
  return new UserProblemError({ code, message, path: ['input', field] });
}
