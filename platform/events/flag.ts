/** A wake-up that is remembered until the next time it is lowered, so none is lost between reading and waiting. */
export class Flag {
  private up = false;
  private release: (() => void) | undefined;

  raise(): void {
    this.up = true;
    this.release?.();
  }

  lower(): void {
    this.up = false;
  }

  /** Answers whether it is up, or the signal aborted: false when neither happened within `limitMs`. */
  raised(signal: AbortSignal, limitMs: number | null = null): Promise<boolean> {
    if (this.up || signal.aborted) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (): void => {
        this.release = undefined;
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve(this.up || signal.aborted);
      };
      const timer = limitMs === null ? undefined : setTimeout(done, limitMs);
      this.release = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
