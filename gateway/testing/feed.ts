/** Events pushed by hand, for tests of subscriptions. */
export interface Feed<Event> {
  push(event: Event): void;
  /** Makes every open stream fail. */
  fail(error: Error): void;
  /** Streams open now. */
  readonly open: number;
  subscribe(signal: AbortSignal): AsyncGenerator<Event, void, void>;
}

export function createFeed<Event>(): Feed<Event> {
  const readers = new Set<{ queue: (Event | Error)[]; wake: () => void }>();
  const toAll = (item: Event | Error): void =>
    readers.forEach((reader) => {
      reader.queue.push(item);
      reader.wake();
    });
  return {
    push: toAll,
    fail: toAll,
    get open() {
      return readers.size;
    },
    async *subscribe(signal) {
      const reader = { queue: [] as (Event | Error)[], wake: (): void => {} };
      const wake = (): void => reader.wake();
      readers.add(reader);
      signal.addEventListener('abort', wake);
      try {
        while (!signal.aborted) {
          const item = reader.queue.shift();
          if (item instanceof Error) throw item;
          if (item !== undefined) yield item;
          else await new Promise<void>((resolve) => (reader.wake = resolve));
        }
      } finally {
        readers.delete(reader);
        signal.removeEventListener('abort', wake);
      }
    },
  };
}
