/**
 * The rule of Envoy's outlier detection with its default numbers (envoyproxy.io, "Outlier detection": consecutive_5xx,
 * base_ejection_time, max_ejection_time): five failures in a row open it, for 30 s times how often in a row it has opened,
 * at most 300 s.
 */
const FAILURES_TO_OPEN = 5;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 300_000;

/** How a call ended for its engine: a caller that left says nothing about it. */
export type CallEnd = 'answered' | 'failed' | 'abandoned';

/**
 * Keeps calls from an engine that keeps failing. Closed, it counts failures in a row; open, nothing passes; half-open,
 * when the pause is over, calls pass again, and the first that ends decides whether it closes or opens for longer.
 */
export class EngineBreaker {
  #failures = 0;
  #timesOpened = 0;
  #openUntil: number | undefined;
  #trials = 0;
  /** Calls begun before the last change that end now decide nothing. */
  #period = 0;

  constructor(
    private readonly onChange: (state: 'open' | 'closed', pauseMs: number) => void,
    /** A clock in milliseconds that never goes back. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Milliseconds until calls may be tried again; 0 when they pass. */
  get heldOffMs(): number {
    return this.#openUntil === undefined ? 0 : Math.max(0, this.#openUntil - this.now());
  }

  /** Whether a first call after a pause is under way: new work had better go elsewhere until it ends. */
  get isTrying(): boolean {
    return this.#openUntil !== undefined && this.#trials > 0;
  }

  /** Counts a call that was let through; answers what to call with its end. */
  begin(): (end: CallEnd) => void {
    const period = this.#period;
    const isTrial = this.#openUntil !== undefined;
    if (isTrial) this.#trials++;
    return (end) => {
      if (isTrial && period === this.#period) this.#trials--;
      if (end === 'abandoned' || period !== this.#period) return;
      if (end === 'answered') this.#answered();
      else if (isTrial || ++this.#failures >= FAILURES_TO_OPEN) this.#open();
    };
  }

  #answered(): void {
    this.#failures = 0;
    if (this.#openUntil === undefined) return;
    this.#openUntil = undefined;
    this.#timesOpened = 0;
    this.#nextPeriod();
    this.onChange('closed', 0);
  }

  #open(): void {
    const pauseMs = Math.min(FIRST_PAUSE_MS * ++this.#timesOpened, LONGEST_PAUSE_MS);
    this.#openUntil = this.now() + pauseMs;
    this.#failures = 0;
    this.#nextPeriod();
    this.onChange('open', pauseMs);
  }

  #nextPeriod(): void {
    this.#period++;
    this.#trials = 0;
  }
}
