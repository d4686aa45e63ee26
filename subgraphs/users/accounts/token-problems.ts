import { UserProblemError } from '../../../platform/errors';
import type { UsersProblemCode } from '../errors';

/** One answer for tokens that are unknown, used, too old, of another kind, or overtaken by a change of the account. */
export function invalidToken(): UserProblemError<UsersProblemCode> {
  return new UserProblemError({
    code: 'INVALID_TOKEN',
    message: 'This link is wrong, was used already, or is too old. Ask for a new one.',
    path: ['input', 'token'],
  });
}
