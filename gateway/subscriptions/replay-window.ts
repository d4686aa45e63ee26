import type { SubscriptionSettings } from './settings';
import type { Frame } from '../operations/outlet';
import type { StreamEvent } from './stream-event';
import type { Variant } from './variant';

/** Kept whatever their size: those that are being answered are among them. */
const ALWAYS_KEPT = 16;
/** Keys whose newest event is remembered. */
const MAX_KEYS = 1_000;

interface Made {
  event: StreamEvent;
  variant: Variant;
  size: number;
}

/**
 * The newest events of a stream, bounded in number and size. What was made of them, and the newest event of each key
 * where these count, are each bounded by the same size.
 */
export class ReplayWindow {
  private readonly events: StreamEvent[] = [];
  private readonly made = new Set<Made>();
  private madeSize = 0;
  private newestSize = 0;
  private readonly indexes = new Map<string, number>();
  /** By key; only where the newest of each key is what counts. */
  private readonly newest: Map<string, StreamEvent> | undefined;
  private size = 0;
  /** Index of the oldest event that is kept, and of the next one to come. */
  start = 0;
  end = 0;

  constructor(
    private readonly limits: Pick<SubscriptionSettings, 'replayEvents' | 'replayBytes'>,
    keepsNewest: boolean,
  ) {
    this.newest = keepsNewest ? new Map() : undefined;
  }

  /** Whether it holds everything since the stream was opened. */
  get isComplete(): boolean {
    return this.start === 0;
  }

  get last(): StreamEvent | undefined {
    return this.events.at(-1);
  }

  push(event: StreamEvent): void {
    this.events.push(event);
    this.end = event.index + 1;
    this.size += event.size;
    if (event.cursor !== undefined) this.indexes.set(event.cursor, event.index);
    if (this.newest) this.remember(this.newest, event);
    const { replayEvents, replayBytes } = this.limits;
    while (this.events.length > ALWAYS_KEPT && (this.events.length > replayEvents || this.size > replayBytes))
      this.drop();
  }

  at(index: number): StreamEvent | undefined {
    return this.events[index - this.start];
  }

  /** The index of the event with this cursor, if it is still here. */
  indexOf(cursor: string): number | undefined {
    return this.indexes.get(cursor);
  }

  has(test: (event: StreamEvent) => boolean): boolean {
    return this.events.some(test);
  }

  /** Whether a newer event of the same key is known. */
  isSuperseded(event: StreamEvent): boolean {
    const newest = this.newest?.get(event.key ?? '');
    return newest !== undefined && newest.index > event.index && !event.gap;
  }

  /** The oldest event from `index` on that is the newest of its key, kept or not. */
  nextNewest(index: number): StreamEvent | undefined {
    let found: StreamEvent | undefined;
    for (const event of this.newest?.values() ?? [])
      if (event.index >= index && (!found || event.index < found.index)) found = event;
    return found;
  }

  /** Keeps what was made of an event for others who get the same, in the place of what has been kept longest. */
  keep(event: StreamEvent, variant: Variant, frame: Frame): void {
    event.frames.set(variant, frame);
    this.made.add({ event, variant, size: frame.payload.length });
    this.madeSize += frame.payload.length;
    for (const oldest of this.made) {
      if (this.madeSize <= this.limits.replayBytes) return;
      this.made.delete(oldest);
      this.madeSize -= oldest.size;
      oldest.event.frames.delete(oldest.variant);
    }
  }

  private remember(newest: Map<string, StreamEvent>, event: StreamEvent): void {
    const key = event.key ?? '';
    this.newestSize += event.size - (newest.get(key)?.size ?? 0);
    newest.delete(key);
    newest.set(key, event);
    for (const [oldestKey, oldest] of newest) {
      const isTooMuch = newest.size > MAX_KEYS || this.newestSize > this.limits.replayBytes;
      if (!isTooMuch || oldest === event) return;
      newest.delete(oldestKey);
      this.newestSize -= oldest.size;
    }
  }

  private drop(): void {
    const event = this.events.shift()!;
    this.start++;
    this.size -= event.size;
    if (event.cursor !== undefined && this.indexes.get(event.cursor) === event.index) this.indexes.delete(event.cursor);
  }
}
