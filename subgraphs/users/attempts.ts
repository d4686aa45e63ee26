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
    const waitMs = await this.waitAfterCounting(limit, key);
    if (waitMs === null) return;
    throw new UserProblemError<UsersProblemCode>({
      code: 'RATE_LIMITED',
      message: 'Too many attempts. Try again later.',
      retryAfterMs: waitMs,
    });
  }

  /** Counts one attempt; answers null while there is room, else how long there will be none, in milliseconds. */
  async waitAfterCounting(limit: AttemptLimit, key: string): Promise<number | null> {
    const now = this.clock();
    const counted = await this.records.countAttempt(
      this.keyOf(limit, key),
      now,
      new Date(now.getTime() + limit.windowMs),
    );
    return counted.count <= limit.attempts ? null : Math.max(1, counted.expiresAt.getTime() - now.getTime());
  }

  /** Forgets the attempts: the last one succeeded. */
  async clear(limit: AttemptLimit, key: string): Promise<void> {
    await this.records.clearAttempts(this.keyOf(limit, key));
  }

  private keyOf({ purpose }: AttemptLimit, key: string): string {
    return createHmac('sha256', this.hashKey).update(`${purpose}\0${key}`).digest('hex');
  }
}
