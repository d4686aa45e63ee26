import type { AccessNews } from '../../platform/identity/access-change';
import type { AccessChanges } from '../options';

/** A source of access changes that tells what a test says, to whoever follows. */
export class NewsDesk {
  /** Followers that came, whether or not they are still there. */
  followers = 0;
  /** What each follower hears first. */
  begin: AccessNews[] = [{ kind: 'current' }];
  /** What the next followers are refused with. */
  refusal: Error | undefined;
  private readonly lines = new Set<{ news: AccessNews[]; end?: Error | undefined; wake: () => void }>();

  /** Those that listen now. */
  get listening(): number {
    return this.lines.size;
  }

  readonly changes: AccessChanges = (signal) => this.tellAll(signal);

  tell(...news: AccessNews[]): void {
    for (const line of this.lines) {
      line.news.push(...news);
      line.wake();
    }
  }

  ended(sessionId: string): void {
    this.tell({ kind: 'ended', sessionId, at: new Date().toISOString() });
  }

  changed(userId: string, at = new Date()): void {
    this.tell({ kind: 'changed', userId, at: at.toISOString() });
  }

  /** All followers lose the source. */
  fail(error: Error): void {
    for (const line of this.lines) {
      line.end = error;
      line.wake();
    }
  }

  private async *tellAll(signal: AbortSignal): AsyncGenerator<AccessNews, void, void> {
    this.followers++;
    if (this.refusal) throw this.refusal;
    const line = { news: [...this.begin], end: undefined as Error | undefined, wake: () => {} };
    this.lines.add(line);
    signal.addEventListener('abort', () => line.wake());
    try {
      while (!signal.aborted) {
        yield* line.news.splice(0);
        if (line.end) throw line.end;
        if (line.news.length === 0 && !signal.aborted) await new Promise<void>((resolve) => (line.wake = resolve));
      }
    } finally {
      this.lines.delete(line);
    }
  }
}
