import { UserProblemError } from '../../../platform/errors';
import type { StoredRole } from '../../../platform/identity/scopes';
import type { UsersProblemCode } from '../errors';
import type { UserRow } from '../records';

const MAX_REASON_LENGTH = 500;

/** As the graph's UpdateUserAccessInput: what is left out, or null, stays as it is. */
export interface AccessInput {
  userId: string;
  roles?: readonly (StoredRole | 'USER')[] | null | undefined;
  status?: UserRow['status'] | null | undefined;
  planId?: string | null | undefined;
  reason: string;
  endsAt?: Date | null | undefined;
}

/** A change that may be made to some account. */
export interface AccessWish {
  roles: StoredRole[] | null;
  status: 'ACTIVE' | 'SUSPENDED' | null;
  planId: string | null;
  reason: string;
  endsAt: Date | null;
}

/** Throws INVALID_INPUT with the path of what breaks a rule, whatever account it is for. */
export function checkedAccess(input: AccessInput, now: Date): AccessWish {
  const { roles, status = null, planId = null, endsAt = null } = input;
  if (status === 'PENDING_DELETION')
    throw accessProblem('INVALID_INPUT', 'status is ACTIVE or SUSPENDED; only its owner deletes an account.', 'status');
  if (endsAt && status !== 'SUSPENDED')
    throw accessProblem('INVALID_INPUT', 'endsAt belongs to the status SUSPENDED.', 'endsAt');
  if (endsAt && endsAt <= now) throw accessProblem('INVALID_INPUT', 'A suspension ends in the future.', 'endsAt');
  return {
    roles: roles ? [...new Set(roles)].filter((role) => role !== 'USER').sort() : null,
    status,
    planId,
    reason: checkedReason(input.reason),
    endsAt,
  };
}

export function accessProblem(
  code: UsersProblemCode,
  message: string,
  field: keyof AccessInput,
): UserProblemError<UsersProblemCode> {
  return new UserProblemError({ code, message, path: ['input', field] });
}

function checkedReason(text: string): string {
  const reason = text.trim().normalize('NFC');
  const { length } = [...reason];
  if (length >= 1 && length <= MAX_REASON_LENGTH && !/[\p{Cc}\p{Cs}]/u.test(reason)) return reason;
  const message = `reason has 1 to ${MAX_REASON_LENGTH} characters in one line; this one has ${length}.`;
  throw accessProblem('INVALID_INPUT', message, 'reason');
}
