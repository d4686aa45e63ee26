/** One event of a {@link EventTopic}. */
export interface TopicEvent {
  seq: number;
  key: string;
}

/** An ordered log in memory that can be read from any position, for subgraphs of tests. */
export class EventTopic {
  private readonly events: TopicEvent[] = [];
  private floor = 0;
  private readonly waiting = new Set<() => void>();

  constructor(readonly name: string) {}

  get head(): number {
    return this.floor + this.events.length;
  }

  append(key = 'only'): number {
    const seq = this.head + 1;
    this.events.push({ seq, key });
    for (const wake of [...this.waiting]) wake();
    return seq;
  }

  /** Forgets events up to one. */
  prune(upTo: number): void {
    while (this.events[0] && this.events[0].seq <= upTo) {
      this.events.shift();
      this.floor++;
    }
  }

  /** The newest event of each key. */
  present(): TopicEvent[] {
    return [...new Map(this.events.map((event) => [event.key, event])).values()].sort((a, b) => a.seq - b.seq);
  }

  /** Events behind a position, or how many of them are gone and where it goes on. */
  async *read(
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<TopicEvent | { lost: number; floor: number }, void, void> {
    let last = after;
    let wake = (): void => {};
    const woken = (): void => wake();
    this.waiting.add(woken);
    signal.addEventListener('abort', woken);
    try {
      while (!signal.aborted) {
        if (last < this.floor) {
          yield { lost: this.floor - last, floor: this.floor };
          last = this.floor;
        }
        const event = this.events[last - this.floor];
        if (event) {
          last = event.seq;
          yield event;
        } else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.waiting.delete(woken);
      signal.removeEventListener('abort', woken);
    }
  }
}
