import type { SubscriptionCounts } from './counts';
import type { Reader } from './reader';

/** How often clients that take nothing are looked for. */
const CHECK_MS = 1_000;

/** Disconnects clients that have room for nothing and take nothing of what waits for them for too long. */
export class StallWatch {
  private readonly waiting = new Map<Reader, { since: number; progress: number }>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly stallMs: number,
    private readonly counts: SubscriptionCounts,
  ) {}

  /** A reader begins, or ends, to wait for room. */
  note(reader: Reader, isWaiting: boolean): void {
    if (isWaiting) {
      // One that only changed its place has waited before.
      if (!this.waiting.has(reader)) this.waiting.set(reader, { since: performance.now(), progress: reader.progress });
      this.timer ??= setInterval(() => this.check(), Math.min(CHECK_MS, this.stallMs)).unref();
    } else if (this.waiting.delete(reader) && this.waiting.size === 0) this.end();
    this.counts.waiting = this.waiting.size;
  }

  /** How many events those who wait are behind, all together. */
  get eventsWaiting(): number {
    let sum = 0;
    for (const reader of this.waiting.keys()) sum += reader.behind;
    return sum;
  }

  end(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private check(): void {
    const now = performance.now();
    for (const [reader, state] of [...this.waiting]) {
      const { progress } = reader;
      if (progress !== state.progress) Object.assign(state, { since: now, progress });
      else if (now - state.since > this.stallMs) reader.disconnect();
    }
  }
}
