import type { SubscriptionSettings } from './settings';
import type { Frame } from '../operations/outlet';
import type { StreamEvent } from './stream-event';
import type { Variant } from './variant';

/** Kept whatever their size: those that are being answered are among them. */
const ALWAYS_KEPT = 16;
/** Keys whose newest event is remembered. */
const MAX_KEYS = 1_000;

/**
 * The newest events of a stream, bounded in number and size. What was made of them, and the newest event of each key
 * where these count, are each bounded by the same size.
 */
export class ReplayWindow {
  private readonly events: StreamEvent[] = [];
  /** Of all frames, and where the oldest of them may be. */
  private madeSize = 0;
  private madeFrom = 0;
  private newestSize = 0;
  private readonly indexes = new Map<string, number>();
  /** By key; only where the newest of each key is what counts. */
  private readonly newest: Map<string, StreamEvent> | undefined;
  private size = 0;
  /** Events before this index may have been the newest of a key that is not remembered. */
  private forgottenEnd = 0;
  private droppedCursor: string | undefined;
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
    if (this.newest && !event.gap) this.remember(this.newest, event);
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

  /** The cursor of the event before an index, as far as it is known. */
  cursorBefore(index: number): string | undefined {
    return index === this.start ? this.droppedCursor : this.at(index - 1)?.cursor;
  }

  /** Whether the newest event of each key from an index on is known. */
  knowsNewest(index: number): boolean {
    return this.newest !== undefined && index >= this.forgottenEnd;
  }

  /**
   * Keeps what was made of an event for others who get the same, in the place of what was made of the oldest events. (Not
   * in a set of its own: V8 frees what goes through one so quickly only in a full collection; see `slots.ts`.)
   */
  keep(event: StreamEvent, variant: Variant, frame: Frame): void {
    if (event.index < this.start) return;
    const size = frame.payload.length;
    this.madeFrom = Math.max(Math.min(this.madeFrom, event.index), this.start);
    while (this.madeSize + size > this.limits.replayBytes && this.madeFrom < this.end) this.forgetMade(this.madeFrom++);
    event.frames.set(variant, frame);
    event.madeSize += size;
    this.madeSize += size;
    this.madeFrom = Math.min(this.madeFrom, event.index);
  }

  /** Drops what was made for those who are gone. */
  forget(variant: Variant): void {
    for (const event of this.events) {
      const frame = event.frames.get(variant);
      if (!frame) continue;
      event.frames.delete(variant);
      if (frame instanceof Promise) continue;
      event.madeSize -= frame.payload.length;
      this.madeSize -= frame.payload.length;
    }
  }

  private forgetMade(index: number): void {
    const event = this.at(index);
    if (!event) return;
    event.frames.clear();
    this.madeSize -= event.madeSize;
    event.madeSize = 0;
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
      this.forgottenEnd = Math.max(this.forgottenEnd, oldest.index + 1);
    }
  }

  private drop(): void {
    const event = this.events.shift()!;
    this.start++;
    this.size -= event.size;
    this.droppedCursor = event.cursor ?? this.droppedCursor;
    if (event.gap) this.forgottenEnd = this.start;
    this.madeSize -= event.madeSize;
    event.madeSize = 0;
    event.frames.clear();
    if (event.cursor !== undefined && this.indexes.get(event.cursor) === event.index) this.indexes.delete(event.cursor);
  }
}
