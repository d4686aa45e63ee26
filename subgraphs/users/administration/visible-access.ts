import { isSuspended } from '../accounts/sign-in';
import type { UserRow } from '../records';

/** What is shown as an account's status: a suspension that is over counts no more. */
export function statusOf(user: UserRow, now: Date): UserRow['status'] {
  return user.status === 'SUSPENDED' && !isSuspended(user, now) ? 'ACTIVE' : user.status;
}

/** Why and until when an account is suspended; null when it is not. */
export function suspensionOf(user: UserRow, now: Date): { reason: string; endsAt: Date | null } | null {
  return isSuspended(user, now) ? { reason: user.suspensionReason ?? '', endsAt: user.suspensionEndsAt } : null;
}
