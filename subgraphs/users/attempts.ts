import { createHmac, hkdfSync } from 'node:crypto';
import { UserProblemError } from '../../platform/errors';
import type { UsersProblemCode } from './errors';
import type { UserRecords } from './records';

/** How often something may be tried for one key within a window that the first attempt opens. */
export interface AttemptLimit {
  /** E.g. `sign-in`: attempts of different purposes are counted apart. */
  purpose: string;
  attempts: number;
  windowMs: number;
}

/** Counts attempts in the database, so that all processes count together; keys are kept hashed. */
export class Attempts {
  private readonly hashKey: Buffer;

  constructor(
    private readonly records: UserRecords,
    secret: string,
    private readonly clock: () => Date,
  ) {
    this.hashKey = Buffer.from(hkdfSync('sha256', secret, 'sauti', 'attempts', 32));
  }

  /**
   * Counts one attempt, before it is known how it ends: attempts made at once cannot all pass. Throws RATE_LIMITED with the
   * time until the window ends when there were too many; such a call does not prolong it.
   */
  async count(limit: AttemptLimit, key: string): Promise<void> {
    const { waitMs } = await this.tryCounting(limit, key);
    if (waitMs !== null) throw tooManyAttempts(waitMs);
  }

  /** Like `count`, and answers how long there will be no room, in milliseconds, or null; and whether that is new. */
  async tryCounting(limit: AttemptLimit, key: string): Promise<{ waitMs: number | null; isFirstRefusal: boolean }> {
    const now = this.clock();
    const windowEndsAt = new Date(now.getTime() + limit.windowMs);
    const { count, expiresAt } = await this.records.countAttempt(this.keyOf(limit, key), now, windowEndsAt);
    const hasRoom = count <= limit.attempts;
    return {
      waitMs: hasRoom ? null : Math.max(1, expiresAt.getTime() - now.getTime()),
      isFirstRefusal: count === limit.attempts + 1,
    };
  }

  /** Forgets the attempts: the last one succeeded. */
  async clear(limit: AttemptLimit, key: string): Promise<void> {
    await this.records.clearAttempts(this.keyOf(limit, key));
  }

  private keyOf({ purpose }: AttemptLimit, key: string): string {
    return createHmac('sha256', this.hashKey).update(`${purpose}\0${key}`).digest('hex');
  }
}

export function tooManyAttempts(waitMs: number): UserProblemError<UsersProblemCode> {
  return new UserProblemError({
    code: 'RATE_LIMITED',
    message: 'Too many attempts. Try again later.',
    retryAfterMs: waitMs,
  });
}
