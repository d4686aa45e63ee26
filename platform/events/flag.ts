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

  raised(signal: AbortSignal): Promise<void> {
    if (this.up || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.release = undefined;
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.release = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
