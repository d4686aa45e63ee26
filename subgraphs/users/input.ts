import { UserProblemError } from '../../platform/errors';
import type { UsersProblemCode } from './errors';

const MAX_NAME_LENGTH = 100;

/** A problem with one field of a mutation's input. */
export function problem(code: UsersProblemCode, message: string, field: string): UserProblemError<UsersProblemCode> {
  return new UserProblemError({ code, message, path: ['input', field] });
}

/** What the owner calls a factor or a key: 1 to 100 characters, none of them a control character. Throws INVALID_INPUT. */
export function checkedLabel(text: string, field: string): string {
  const label = text.trim().normalize('NFC');
  const length = [...label].length;
  if (length >= 1 && length <= MAX_NAME_LENGTH && !/[\p{Cc}\p{Cs}]/u.test(label)) return label;
  const rule = `${field} has 1 to ${MAX_NAME_LENGTH} characters and no control characters; this one has ${length}.`;
  throw problem('INVALID_INPUT', rule, field);
}
