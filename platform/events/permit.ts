/** How long an answer holds for events that were written before it was given. */
const FRESH_MS = 1_000;

/** Asks whether somebody may still read what they are reading. `check` throws when not; without it, they may. */
export class Permit {
  private askedAt = -Infinity;

  /** `clock` answers milliseconds. */
  constructor(
    private readonly check: (() => Promise<void>) | undefined,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** Whether there is anything to ask. */
  get isNeeded(): boolean {
    return this.check !== undefined;
  }

  async ask(): Promise<void> {
    if (!this.check) return;
    await this.check();
    this.askedAt = this.clock();
  }

  /** Asks unless that was done within the last second. */
  async askWhenOld(): Promise<void> {
    if (this.check && this.clock() - this.askedAt > FRESH_MS) await this.ask();
  }
}
