export interface BreakerSettings {
  /** How far back calls count, in milliseconds. */
  windowMs: number;
  /** Calls in the window below which it never opens. */
  minRequests: number;
  /** Share of failed calls, above 0 and up to 1, at which it opens. */
  failureRatio: number;
  /** How long all calls are held off before one may try again, in milliseconds. */
  openMs: number;
}

/** How a call ended for its breaker: a caller that left says nothing about the subgraph. */
export type CallOutcome = 'answered' | 'failed' | 'abandoned';

/** What `CircuitBreaker.pass` gives when no call may be made. */
export const HELD_OFF = 0;

/** The window moves in steps of a tenth of its length. */
const SLOTS = 10;

/**
 * Holds calls off from a subgraph that keeps failing, so that it can recover and callers need not wait for it. Closed,
 * it counts; open, nothing passes; half-open, one call at a time tries, and the first that is answered closes it.
 */
export class CircuitBreaker {
  private state: 'closed' | 'open' | 'half-open' = 'closed';
  /** Calls of an earlier period that end now decide nothing: half of them may have waited for their deadline. */
  private period = 1;
  private isProbing = false;
  private openUntil = 0;
  private readonly calls = new Uint32Array(SLOTS);
  private readonly failures = new Uint32Array(SLOTS);
  private slot = 0;

  constructor(
    private readonly settings: BreakerSettings,
    private readonly onChange: (state: 'open' | 'closed') => void,
    /** A clock in milliseconds that never goes back. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Asks for one call: `HELD_OFF`, or a number to hand back to `record` when that call has ended. */
  pass(): number {
    if (this.state === 'closed') return this.period;
    if (this.isProbing || this.now() < this.openUntil) return HELD_OFF;
    this.state = 'half-open';
    this.isProbing = true;
    return this.period;
  }

  record(pass: number, outcome: CallOutcome): void {
    if (pass !== this.period) return;
    if (this.state === 'half-open') this.recordProbe(outcome);
    else if (outcome !== 'abandoned') this.count(outcome === 'failed');
  }

  private recordProbe(outcome: CallOutcome): void {
    this.isProbing = false;
    if (outcome === 'failed') this.open();
    if (outcome !== 'answered') return;
    this.state = 'closed';
    this.period++;
    this.calls.fill(0);
    this.failures.fill(0);
    this.onChange('closed');
  }

  private count(failed: boolean): void {
    const index = this.moveWindow();
    this.calls[index]!++;
    if (!failed) return;
    this.failures[index]!++;
    const calls = sum(this.calls);
    if (calls >= this.settings.minRequests && sum(this.failures) >= calls * this.settings.failureRatio) {
      this.open();
      this.onChange('open');
    }
  }

  private open(): void {
    this.state = 'open';
    this.period++;
    this.openUntil = this.now() + this.settings.openMs;
  }

  /** Forgets what has left the window; gives the index of the present slot. */
  private moveWindow(): number {
    const slot = Math.floor((this.now() * SLOTS) / this.settings.windowMs);
    for (let passed = Math.max(this.slot + 1, slot - SLOTS + 1); passed <= slot; passed++) {
      this.calls[passed % SLOTS] = 0;
      this.failures[passed % SLOTS] = 0;
    }
    this.slot = slot;
    return slot % SLOTS;
  }
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
