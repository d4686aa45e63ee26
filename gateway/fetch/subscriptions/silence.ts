/**
 * Notices when a sender of regular comments has fallen silent. Its rhythm is learned: event streams have no agreed
 * interval, and many servers send one comment at the start only to get the head out. From the second comment on, nothing
 * at all for twice the longest pause between two comments (and at least twice `keepAliveMs`) means that it is gone.
 */
export class Silence {
  private longestMs = 0;
  private lastBeatAt: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isExcused = false;

  constructor(
    private readonly keepAliveMs: number,
    private readonly onGone: (silentMs: number) => void,
  ) {}

  /** A comment arrived. */
  beat(): void {
    const now = performance.now();
    if (this.lastBeatAt !== undefined) {
      this.longestMs = Math.max(this.longestMs, now - this.lastBeatAt);
      this.watch();
    }
    this.lastBeatAt = now;
  }

  /** Anything arrived. */
  sign(): void {
    this.timer?.refresh();
  }

  /** While excused, nothing is expected: nobody reads. */
  excuse(isExcused: boolean): void {
    this.isExcused = isExcused;
    if (this.lastBeatAt !== undefined && this.timer) this.watch();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private watch(): void {
    this.stop();
    const limitMs = 2 * Math.max(this.keepAliveMs, Math.ceil(this.longestMs));
    this.timer = setTimeout(() => {
      if (!this.isExcused) this.onGone(limitMs);
    }, limitMs);
  }
}
