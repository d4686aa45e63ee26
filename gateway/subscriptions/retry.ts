const FIRST_MS = 100;
const LONGEST_MS = 5_000;
/** An attempt that held this long counts as open, also when no event came. */
const OPEN_MS = 5_000;

/** When a broken stream is opened again: exponential backoff with jitter, so that many do not come back at once. */
export class Retry {
  private attempts = 0;
  private brokenSince: number | undefined;
  private hasBeenOpen = false;

  constructor(private readonly limits: { retryForMs: number; retryFirstForMs: number }) {}

  /** The stream gave something: the next break is a new one. */
  succeeded(): void {
    this.hasBeenOpen = true;
    this.brokenSince = undefined;
    this.attempts = 0;
  }

  /**
   * After an attempt that began at `startedAt` (a clock in milliseconds that never goes back) and broke; `wasTaken` unless
   * the subgraph never took it: how long to wait; undefined to give up.
   */
  pauseMs(startedAt: number, wasTaken: boolean): number | undefined {
    const now = performance.now();
    if (wasTaken && now - startedAt > OPEN_MS) this.succeeded();
    this.brokenSince ??= startedAt;
    const { retryForMs, retryFirstForMs } = this.limits;
    const leftMs = this.brokenSince + (this.hasBeenOpen ? retryForMs : retryFirstForMs) - now;
    if (leftMs <= 0) return undefined;
    const pauseMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.attempts++) * (0.5 + Math.random() / 2);
    return Math.min(pauseMs, leftMs);
  }
}
