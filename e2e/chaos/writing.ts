import { pause } from '../../platform/pause';
import type { Store } from './store';
import { addSegment, finishTranscripts } from './transcript-writer';

/** Between two segments, so that they come one by one as from a speaker, and not in one page. */
const PACE_MS = 10;

/** Writes segments, the same number to every transcript, as far as it is allowed to. */
export class Writing {
  /** Segments that each transcript has for certain. */
  committed = 0;
  private allowed = 0;
  private waiting: (() => void)[] = [];

  constructor(
    private readonly store: Store,
    private readonly transcriptIds: readonly string[],
  ) {}

  allow(count: number): void {
    this.allowed = Math.max(this.allowed, count);
    this.wake();
  }

  /** Resolves when `count` are committed, or the signal aborts. */
  async reached(count: number, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.wake(), { once: true });
    while (this.committed < count && !signal.aborted) await this.changed();
  }

  /** Writes `count` segments and then the end of each transcript. Rejects when the database stays away. */
  async run(count: number, signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.wake(), { once: true });
    while (this.committed < count && !signal.aborted) {
      if (this.committed >= this.allowed) await this.changed();
      else await this.writeOne(signal);
    }
    if (!signal.aborted) await finishTranscripts(this.store, this.transcriptIds);
  }

  private async writeOne(signal: AbortSignal): Promise<void> {
    await addSegment(this.store, this.transcriptIds, this.committed);
    this.committed++;
    this.wake();
    await pause(PACE_MS, signal);
  }

  private changed(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
