import { orAborted } from '../../../platform/or-aborted';
import { untilAborted } from '../transcriber/abort';

export interface InOrderOptions {
  /** Most items worked on at once. */
  parallel: number;
  signal: AbortSignal;
}

/** So many results may wait for one before them that takes longer. */
const WAITING_FOR_EACH = 2;

/**
 * Does `work` for several items at once and yields the results in the order of the items. At most `parallel` items are
 * worked on and one more waits, however many the source has. What fails first, work or source, or the signal, ends all the rest (through the signal that `work` is given)
 * and is thrown once that has stopped; so does leaving early.
 */
export async function* inOrder<Item, Result>(
  source: AsyncIterable<Item>,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  options: InOrderOptions,
): AsyncGenerator<Result, void, undefined> {
  const run = new Run(source, work, options);
  try {
    yield* run.results();
  } finally {
    await run.end();
  }
}

class Run<Item, Result> {
  /** Results that were not yielded yet, under way or done, in order. */
  private readonly begun: Promise<Result>[] = [];
  private readonly stop = new AbortController();
  private readonly feeding: Promise<void>;
  private running = 0;
  private isFed = false;
  private wake = (): void => undefined;
  private readonly follow = (): void => this.fail(this.options.signal.reason);

  constructor(
    private readonly source: AsyncIterable<Item>,
    private readonly work: (item: Item, signal: AbortSignal) => Promise<Result>,
    private readonly options: InOrderOptions,
  ) {
    options.signal.addEventListener('abort', this.follow, { once: true });
    if (options.signal.aborted) this.follow();
    this.feeding = this.feed().catch((error: unknown) => this.fail(error));
  }

  async *results(): AsyncGenerator<Result, void, undefined> {
    for (;;) {
      await this.until(() => this.begun.length > 0 || this.isFed);
      const next = this.begun[0];
      if (!next) return;
      const result = await orAborted(next, this.stop.signal);
      this.begun.shift();
      this.changed();
      yield result;
    }
  }

  async end(): Promise<void> {
    this.fail(new Error('The results are no longer wanted.'));
    this.options.signal.removeEventListener('abort', this.follow);
    await Promise.allSettled([this.feeding, ...this.begun]);
  }

  private async feed(): Promise<void> {
    const { parallel } = this.options;
    for await (const item of untilAborted(this.source, this.stop.signal)) {
      await this.until(() => this.running < parallel && this.begun.length < parallel * (1 + WAITING_FOR_EACH));
      this.begin(item);
    }
    this.isFed = true;
    this.changed();
  }

  private begin(item: Item): void {
    this.running++;
    const result = this.work(item, this.stop.signal);
    result
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.running--;
        this.changed();
      })
      .catch(() => undefined);
    this.begun.push(result);
    this.changed();
  }

  /** Only the first failure counts: those that follow are its consequence. */
  private fail(error: unknown): void {
    if (!this.stop.signal.aborted) this.stop.abort(error);
  }

  /** One of feeder and reader waits at a time for what the other does; both look again at every change. */
  private async until(isMet: () => boolean): Promise<void> {
    while (!isMet()) {
      const change = new Promise<void>((resolve) => {
        const others = this.wake;
        this.wake = () => {
          others();
          resolve();
        };
      });
      await orAborted(change, this.stop.signal);
    }
    this.stop.signal.throwIfAborted();
  }

  private changed(): void {
    const wake = this.wake;
    this.wake = () => undefined;
    wake();
  }
}
