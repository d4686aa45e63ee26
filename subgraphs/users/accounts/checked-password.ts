import { UserProblemError } from '../../../platform/errors';
import type { UsersProblemCode } from '../errors';
import type { UserRow } from '../records';
import { passwordWeakness } from './password-strength';

/** The password, when it is good enough for this person. Throws WEAK_PASSWORD with the reason, at the input's `field`. */
export function checkedPassword(
  password: string,
  { email, displayName, ...names }: Pick<UserRow, 'email' | 'displayName'> & Partial<UserRow>,
  field: string,
): string {
  const personal = [email, displayName, names.firstName ?? '', names.lastName ?? ''];
  const weakness = passwordWeakness(password, personal);
  if (weakness === null) return password;
  throw new UserProblemError<UsersProblemCode>({ code: 'WEAK_PASSWORD', message: weakness, path: ['input', field] });
}
